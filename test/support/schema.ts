// The JSON schema of experiment files, judged by an independent reader of such schemas, in its strictest way: a keyword it
// does not know is an error.

import { Ajv } from 'ajv';
import { experimentSchema } from '../../build/schema.ts';
import type { Schema } from '../../build/schema-values.ts';

export const schema = experimentSchema() as Schema & { definitions: Readonly<Record<string, Schema>> };

const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
const validate = ajv.compile(schema);

/** What the schema finds wrong with an experiment, a line each. */
export function schemaComplaints(experiment: unknown): string[] {
  if (validate(experiment)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    `${instancePath} ${message} ${JSON.stringify(params)}`.trim(),
  );
}
