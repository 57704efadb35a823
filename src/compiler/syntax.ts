// The syntax tree of the WGSL subset: what the parser makes and the compiler walks. It knows no types' meanings.

import { WgslError } from '../wgsl.ts';

/** Where something stands in a shader. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

export type Expression = { at: Place } & (
  | { kind: 'literal'; text: string }
  | { kind: 'name'; name: string }
  | { kind: 'member'; of: Expression; name: string }
  | { kind: 'unary'; op: '-' | '!' | '~' | '*' | '&'; of: Expression }
  | { kind: 'binary'; op: string; left: Expression; right: Expression }
  | { kind: 'call'; name: string; template: string | undefined; args: Expression[] }
);

export type Statement = { at: Place } & (
  | { kind: 'declare'; word: Word; name: string; type: Type | undefined; value: Expression | undefined }
  | { kind: 'assign'; target: Expression; op: string | undefined; value: Expression }
  | { kind: 'count'; target: Expression; op: '+' | '-' }
  | { kind: 'call'; call: Expression }
  | { kind: 'if'; condition: Expression; then: Statement[]; otherwise: Statement[] }
  | {
      kind: 'for';
      init: Statement | undefined;
      condition: Expression;
      update: Statement | undefined;
      body: Statement[];
    }
  | { kind: 'return'; value: Expression | undefined }
  | { kind: 'block'; body: Statement[] }
);

/** How a name in a function is declared. */
export type Word = 'let' | 'var' | 'const';

/** A type as written: its name, and whether it is `ptr<function, NAME>`. */
export interface Type {
  name: string;
  pointer: boolean;
  at: Place;
}

export interface Typed {
  name: string;
  at: Place;
  type: Type;
}

export interface FunctionSyntax {
  name: string;
  at: Place;
  parameters: Typed[];
  result: Type | undefined;
  body: Statement[];
}

/** What a file declares at module scope. */
export interface Syntax {
  structs: Map<string, { at: Place; members: Typed[] }>;
  functions: Map<string, FunctionSyntax>;
  constants: Map<string, { at: Place; type: Type | undefined; value: Expression }>;
}

/** A complaint about a place. */
export const refusal = (reason: string, { line, column, file }: Place): WgslError =>
  new WgslError(reason, line, column, file);
