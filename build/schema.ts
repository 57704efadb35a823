// The JSON schema of the experiment file, for editors, from the same tables that the reader goes by: what the shaders say
// of parameters, states and inputs, and the keys of initializers and biophysics. Draft-07, which editors know best.
// It knows one experiment's structure, not what takes arithmetic: lengths of arrays, what a draw may reach, stability.
// Run by `npm run build`, after the library, into dist/experiment.schema.json.

import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { namesOf, PRINTED } from '../src/biophysics.ts';
import { inputMeanings, parameterMeanings, stateMeanings } from '../src/generated/meanings.ts';
import { inputLaws, somas } from '../src/generated/shaders.ts';
import type { InputLaw, Soma } from '../src/somas.ts';
import { header, writeChanged } from './generate.ts';
import {
  cases,
  definitions,
  FILE,
  number,
  object,
  ofFile,
  type Properties,
  ref,
  rows,
  type Schema,
  value,
  when,
  whole,
  withDefault,
  words,
} from './schema-values.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const MOST_U32 = 2 ** 32 - 1;

const SHARED = 'all inputs that name the same noise have the same numbers, in all neurons and populations';

function input(law: InputLaw): Schema {
  const properties: Record<string, Schema> = { kind: {} };
  const required: string[] = [];
  const rules: Schema[] = [];
  for (const [name, row] of Object.entries(law.parameters)) {
    if (row.byHost) continue;
    const description = words(row, inputMeanings[law.kind]?.[name]);
    const initial = withDefault(row.default);
    if (row.edge) properties[name] = moment(description, row.default);
    else properties[name] = row.single ? number(description, row, initial) : value(description, row, true, initial);
    const { density } = row;
    if (density !== undefined) {
      properties[density] = value(`in the place of ${name}, ${row.unit}*sqrt(ms): ${name} is this / sqrt(dt)`, row);
      rules.push({ not: { required: [name, density] } });
      if (row.default === undefined) rules.push({ anyOf: [{ required: [name] }, { required: [density] }] });
      // In a file the end of the run is known, and a moment without a default is that.
    } else if (row.default === undefined && !row.edge) required.push(name);
  }
  if (law.random) properties.shared = { description: SHARED, type: 'string', minLength: 1 };
  const text = readFileSync(`${ROOT}shaders/inputs/${law.kind}.wgsl`, 'utf8');
  const description = header(text).join(' ');
  return object(properties, ['kind', ...required], { description, ...(rules.length > 0 ? { allOf: rules } : {}) });
}

const moment = (description: string, initial: unknown): Schema =>
  initial === 'end'
    ? { description, anyOf: [{ type: 'number' }, { const: 'end' }] }
    : number(description, {}, withDefault(initial));

/** A current from the host: in the experiment, or in a file. */
function arrayInput(): Schema {
  const step = { type: 'array', items: { type: 'number' } };
  return {
    description: 'A current given for every step, pA: as values here, or as an array of a file.',
    type: 'object',
    properties: {
      kind: {},
      values: {
        description: 'one number a step, the same for all neurons, or one list a step with a number a neuron',
        type: 'array',
        anyOf: [{ items: { type: 'number' } }, { items: step }],
      },
      ...FILE,
    },
    additionalProperties: false,
    ...when({ required: ['values'] }, { properties: { file: false, array: false } }, ofFile()),
  };
}

const inputs = (): Schema =>
  cases('kind', 'what kind of current it is', {
    ...Object.fromEntries(Object.values(inputLaws).map((law) => [law.kind, input(law)])),
    array: arrayInput(),
  });

/** The parameters of a soma; some may come from what papers print. */
function parameters(soma: Soma): Schema {
  const { required, optional } = namesOf(soma);
  const printed = [...required, ...optional];
  const biophysics = Object.fromEntries(
    printed.map((name) => {
      const { parameter, unit, quotient, ...row } = PRINTED[name] as (typeof PRINTED)[string];
      const meaning = quotient ? `${parameter} comes of it` : `${parameterMeanings[parameter]}: ${parameter}`;
      return [name, value(words({ ...row, path: '', unit }, meaning), row, quotient === undefined)];
    }),
  );
  const within = (schema: Schema): Schema => ({ properties: { biophysics: schema } });
  // What is required may stand beside in the place of a name; the leak conductance is in two parameters.
  const places = (name: string) => [PRINTED[name]?.parameter, ...(name === 'g_L' ? [PRINTED.C?.parameter] : [])];
  return object(
    {
      ...rows(soma.parameters, parameterMeanings),
      biophysics: object(biophysics, [], { description: 'what papers print: capacitance, conductances and the rest' }),
    },
    [],
    {
      description: `parameters of ${soma.name}; those not given have their defaults`,
      allOf: [
        ...required.map((name) => when({ not: { required: places(name) } }, within({ required: [name] }))),
        ...printed.map((name) =>
          when({ required: [PRINTED[name]?.parameter] }, within({ properties: { [name]: false } })),
        ),
      ],
    },
  );
}

const initial = (soma: Soma): Schema =>
  object(rows(soma.states, stateMeanings), [], {
    description: 'states at the start, in user units',
  });

const WINDOW: Properties = {
  from: number('ms: the first moment; 0 by default', { least: 0 }, { default: 0 }),
  to: {
    description: 'ms: the first moment that is not recorded any more; the end by default',
    anyOf: [{ type: 'number', minimum: 0 }, { const: 'end' }],
  },
};

const LAST: Properties = {
  last: number('ms: only the last so many are kept; 0 keeps nothing, for streams alone', { least: 0 }),
};

const indices: Schema = { type: 'array', items: { type: 'integer', minimum: 0 } };

const NEURONS: Properties = {
  neurons: { description: 'flat indices, or "all" (the default)', anyOf: [{ const: 'all' }, indices] },
};

function record(soma: Soma): Schema {
  const ofStates = (recording: Schema, description: string) =>
    object(
      Object.fromEntries(
        Object.entries(soma.states).map(([name, row]) => [
          name,
          { ...recording, description: `${stateMeanings[name]}, ${row.unit}` },
        ]),
      ),
      [],
      { description },
    );
  const every = whole('steps between samples; steps divisible by it are sampled', 1, MOST_U32, { default: 1 });
  const bin = number('ms, a whole number of steps; the first bin begins at from', { above: 0 });
  const spikes = object({ ...NEURONS, ...WINDOW, ...LAST });
  return object(
    {
      spikes: {
        ...spikes,
        description: 'true for all spikes, or whose and when; spikes are counted in any case',
        type: ['boolean', 'object'],
      },
      states: ofStates(object({ ...NEURONS, every, ...WINDOW, ...LAST }), 'samples of states'),
      rate: object({ bin, ...WINDOW, ...LAST }, ['bin'], { description: "rate of all neurons' spikes, in bins" }),
      statistics: ofStates(object(WINDOW), 'mean, variance, least and greatest of states, neuron by neuron'),
    },
    [],
    { description: 'what is recorded; nothing by default' },
  );
}

/** What a population has whatever its soma. */
const POPULATION: Properties = {
  units: {
    description: 'how many neurons, or their shape; neurons are numbered row-major',
    type: ['integer', 'array'],
    minimum: 1,
    items: { type: 'integer', minimum: 1 },
    minItems: 1,
  },
  input: { description: 'currents, pA; they add up; none by default', type: 'array', items: ref('input') },
  inhibitory: {
    ...indices,
    description: 'flat indices of neurons whose spikes are reported as -1; the dynamics do not use the sign',
  },
};

// Keys of a case are allowed by name, whatever they hold, and described by the case.
function population(): Schema {
  const bySoma = somas.map((soma) => [
    soma.name,
    {
      properties: {
        parameters: ref(`parameters of ${soma.name}`),
        initial: ref(`states of ${soma.name}`),
        record: ref(`record of ${soma.name}`),
      },
    },
  ]);
  const what = 'the model of its neurons, by name, or the file of one of its own';
  const { properties, ...rest } = cases('soma', what, Object.fromEntries(bySoma));
  const { soma } = properties as Record<'soma', Schema>;
  const file = { description: 'a .wgsl file; relative to the experiment', type: 'string' };
  const either = {
    description: what,
    anyOf: [soma, object({ file }, ['file'])],
  };
  // What a law in a file allows the file says.
  const open = { parameters: {}, initial: {}, record: {} };
  return {
    ...rest,
    ...object({ soma: either, ...POPULATION, ...open }, ['soma', 'units']),
  };
}

/** The names of populations; src/simulation.ts refuses others. */
const NAME = '^[A-Za-z][A-Za-z0-9_-]*$';

/** The schema of an experiment file. */
export function experimentSchema(): Schema {
  const ofSomas = somas.flatMap((soma) => [
    [`parameters of ${soma.name}`, parameters(soma)],
    [`states of ${soma.name}`, initial(soma)],
    [`record of ${soma.name}`, record(soma)],
  ]);
  const experiment = object(
    {
      $schema: { description: 'where the schema of this file is, for editors', type: 'string' },
      dt: number('time step, ms; 0.1 is usual', { least: 1e-6, most: 1e6 }),
      duration: number('ms, a whole number of steps; or give steps', { least: 0 }),
      steps: whole('number of steps; or give a duration', 0, MOST_U32),
      seed: whole('of all random numbers; 0 by default', 0, MOST_U32, { default: 0 }),
      populations: {
        description: 'by name: a letter, then letters, digits, _ or -; unique ignoring case',
        type: 'object',
        propertyNames: { pattern: NAME },
        additionalProperties: ref('population'),
        minProperties: 1,
      },
    },
    ['dt', 'populations'],
    { anyOf: [{ required: ['duration'] }, { required: ['steps'] }] },
  );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'somagpu experiment',
    description:
      'What `somagpu run` takes. Times are ms, potentials mV, currents pA, resistances GOhm, conductances nS.',
    ...experiment,
    definitions: {
      population: population(),
      ...Object.fromEntries(ofSomas),
      input: inputs(),
      ...definitions(),
    },
  };
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) {
  mkdirSync(`${ROOT}dist`, { recursive: true });
  writeChanged(`${ROOT}dist/experiment.schema.json`, `${JSON.stringify(experimentSchema(), null, 1)}\n`);
}
