// docs/spark.md says what stands for each thing in Spark. Its tables are walked here, so that they stay true.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as somagpu from '../../src/index.ts';
import { resolveParameters, wholeSteps } from '../../src/parameters.ts';
import { Population } from '../../src/population.ts';
import type { Row, Soma } from '../../src/somas.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const doc = read('docs/spark.md');
const generated = read('src/generated/shaders.ts');

/** What the page says that Spark has no counterpart of. */
const added = doc.match(/`(\w+)` has no counterpart in Spark/)?.[1];
const somas = (Object.values(somagpu) as unknown[]).filter(
  (value): value is Soma =>
    typeof value === 'object' && value !== null && 'wgsl' in value && (value as Soma).name !== added,
);
const somaNamed = (name: string): Soma => {
  const soma = somas.find((candidate) => candidate.name === name);
  if (!soma) throw new Error(`the page speaks of ${name}, which is no exported soma`);
  return soma;
};

/** The cells of the table rows under a heading, header rows left out; tables are told apart by their header. */
function rowsOf(text: string): { header: string; cells: string[] }[] {
  const rows: { header: string; cells: string[] }[] = [];
  let header: string | undefined;
  for (const line of text.split('\n')) {
    if (!line.startsWith('|')) header = undefined;
    else if (header === undefined) header = line;
    else if (!/^[| -]+$/.test(line)) rows.push({ header, cells: cellsOf(line) });
  }
  return rows;
}

const cellsOf = (line: string) =>
  line
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => cell.trim());

/** What stands between a heading and the next of any level. */
function section(heading: string): string {
  const [, after] = doc.split(new RegExp(`^#+ ${heading}$`, 'm'));
  if (after === undefined) throw new Error(`no heading "${heading}" in the page`);
  return after.split(/^#+ /m)[0] as string;
}

const tableWith = (header: string) => rowsOf(doc).filter((row) => row.header === `| ${header} |`);
const comparisons = tableWith('Spark | somagpu | what differs');
const codeIn = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);
const boldIn = (text: string) => [...text.matchAll(/\*\*`([^`]+)`\*\*/g)].map((match) => match[1] as string);

/** Everything exported by src/index.ts, `export *` followed: types too, which leave no trace at run time. */
function exportedNames(path: string): Set<string> {
  const text = read(path).replace(/\/\*[\s\S]*?\*\//g, '');
  const names = new Set<string>();
  for (const [, list] of text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)) {
    for (const entry of (list as string).split(',')) {
      const name = entry.trim().replace(/^type /, '');
      if (name) names.add(name.split(' as ').at(-1) as string);
    }
  }
  for (const [, name] of text.matchAll(/^export (?:interface|type|const|class|(?:async )?function) (\w+)/gm))
    names.add(name as string);
  for (const [, from] of text.matchAll(/^export \* from '\.\/(.+)'/gm))
    for (const name of exportedNames(`src/${from}`)) names.add(name);
  return names;
}

/** What the page says of an interface: `extends nothing` or `extends X`. */
function saidParent(config: string): string | undefined {
  const row = comparisons.find(({ cells }) => cells[1] === `**\`${config}\`**` && cells[2]?.startsWith('extends'));
  if (!row) throw new Error(`the page does not say what ${config} extends`);
  return (row.cells[2] as string).match(/^extends `(\w+)`/)?.[1];
}

/** The parameters under a config's heading: name, default, unit and the range, as the page has them. */
const ownParameters = (config: string) =>
  rowsOf(section(config)).map(({ cells }) => {
    const said = (cells[1] as string).match(/^`(\w+)`: (-?[\d.]+) (\w+)$/);
    if (!said) throw new Error(`not "name: default unit": ${cells[1]}`);
    const [, name, value, unit] = said;
    const range = (cells[2] as string).match(/^allowed: (.+)$/)?.[1] ?? '';
    return { spark: cells[0], name: name as string, default: Number(value), unit, range };
  });

const allParameters = (config: string): ReturnType<typeof ownParameters> => {
  const parent = saidParent(config);
  return [...(parent ? allParameters(parent) : []), ...ownParameters(config)];
};

const rangeOf = (row: Row) =>
  [
    row.above === undefined ? '' : `> ${row.above}`,
    row.least === undefined ? '' : `>= ${row.least}`,
    row.leastDt ? '>= dt' : '',
    row.most === undefined ? '' : `<= ${row.most}`,
  ]
    .filter((part) => part !== '')
    .join(', ');

const rowsIn = (table: Soma['parameters'] | Soma['states']) => Object.entries(table as Record<string, Row>);

describe('the parameter tables of docs/spark.md', () => {
  test('the page has as many somas as the module of Spark', () => {
    expect(somas.map(({ name }) => name).sort()).toEqual([
      'AdaptiveExponentialSoma',
      'ExponentialSoma',
      'RefractoryExponentialSoma',
      'SimplifiedAdaptiveExponentialSoma',
    ]);
  });

  test.each(somas)(
    '$name has the parameters, defaults, units and ranges that the page states, and no others',
    (soma) => {
      const said = allParameters(`${soma.name}Config`).map(({ spark, ...rest }) => rest);
      const real = rowsIn(soma.parameters).map(([name, row]) => ({
        name,
        default: row.default,
        unit: row.unit,
        range: rangeOf(row),
      }));
      const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
      expect(said.sort(byName)).toEqual(real.sort(byName));
    },
  );

  test.each(somas)('$name calls each parameter what Spark calls it', (soma) => {
    for (const { spark, name } of allParameters(`${soma.name}Config`)) expect(spark).toBe(`\`${name}\``);
  });

  test.each(somas)('the config of $name extends the one that the page says', (soma) => {
    const config = `${soma.name}Config`;
    const declared = generated.match(new RegExp(`^export interface ${config}(?: extends (\\w+))? \\{`, 'm'));
    expect(declared, `interface ${config}`).not.toBeNull();
    expect(declared?.[1]).toBe(saidParent(config));
  });
});

describe('the table of states in docs/spark.md', () => {
  const said = rowsOf(section('States')).flatMap(({ cells }) => {
    const state = (cells[1] as string).match(/^`(\w+)`: (\w+), starts at (.+)$/);
    if (!state) return [];
    const [, name, unit, start] = state as unknown as [string, string, string, string];
    const owners = (cells[2] as string).split(/[.;]/)[0] as string;
    return [{ name, unit, start, owners }];
  });

  test.each(somas)('$name has the states, units and starts that the page states, and no others', (soma) => {
    const own = said.filter(({ owners }) => owners === 'all somas' || owners.split(/, | and /).includes(soma.name));
    const real = rowsIn(soma.states).map(([name, row]) => [
      name,
      row.unit,
      typeof row.default === 'string' ? `\`${row.default}\`` : String(row.default),
    ]);
    expect(own.map(({ name, unit, start }) => [name, unit, start]).sort()).toEqual(real.sort());
  });

  test('names no state that no soma has', () => {
    const known = new Set(somas.flatMap(({ states }) => Object.keys(states)));
    expect(said.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('the names in docs/spark.md', () => {
  const names = exportedNames('src/index.ts');
  const ours = comparisons.map(({ cells }) => cells[1] as string);

  test('every comparison has three cells, the first two filled', () => {
    expect(comparisons.length).toBeGreaterThan(60);
    for (const { cells } of comparisons) {
      expect(cells, cells.join(' | ')).toHaveLength(3);
      expect(cells[0], cells.join(' | ')).not.toBe('');
      expect(cells[1], cells.join(' | ')).not.toBe('');
    }
  });

  test('every bold name is exported by src/index.ts', () => {
    const bold = [...new Set(boldIn(doc))];
    expect(bold.length).toBeGreaterThan(10);
    expect(bold.filter((name) => !names.has(name))).toEqual([]);
  });

  test('what is exported stands in bold where it stands for something of Spark', () => {
    const plain = ours.flatMap((cell) => codeIn(cell.replace(/\*\*`[^`]+`\*\*/g, '')));
    expect(plain.filter((code) => names.has(code))).toEqual([]);
  });

  test('run-time exports are found by reading src/index.ts, so the names of types are too', () => {
    for (const name of Object.keys(somagpu)) expect(names, name).toContain(name);
    expect(names).toContain('AdaptiveExponentialSomaConfig');
    expect(names).not.toContain('NoSuchSomaConfig');
  });

  test('every member of a simulation or a population that it names exists', () => {
    const members = [...doc.matchAll(/`(simulation|population)\.(\w+)/g)].map(([, owner, member]) => [owner, member]);
    expect(members.length).toBeGreaterThan(20);
    const texts = { simulation: read('src/simulation.ts'), population: read('src/population.ts') };
    const classes = { simulation: somagpu.Simulation, population: Population };
    for (const [owner, member] of members as ['simulation' | 'population', string][]) {
      const field = new RegExp(`^\\s+readonly ${member}: `, 'm').test(texts[owner]);
      expect(member in classes[owner].prototype || field, `${owner}.${member}`).toBe(true);
    }
  });

  test('what stands for checkpoints is there', () => {
    const cells = (spark: string) => comparisons.find((row) => row.cells[0]?.startsWith(`\`${spark}(`))?.cells[1];
    expect(cells('checkpoint')).toBe('`simulation.save`');
    expect(cells('from_checkpoint')).toBe('**`Simulation`**`.restore`');
    expect(somagpu.Simulation.restore).toBeTypeOf('function');
    expect(doc).not.toContain('not yet');
  });
});

describe('the messages and numbers in docs/spark.md', () => {
  const messages = tableWith('soma | parameters | message').map(({ cells }) => cells.map((cell) => codeIn(cell)[0]));
  const [dt, neurons] = [0.1, 4];

  test('it quotes what AdaptiveExponentialSoma says to the three names of its Spark docstring', () => {
    const asked = messages.filter(([soma]) => soma === 'AdaptiveExponentialSoma').map(([, given]) => given);
    expect(asked).toEqual(
      expect.arrayContaining(['{"cooldown": 2}', '{"threshold_tau": 20}', '{"threshold_delta": 100}']),
    );
  });

  test.each(messages)('%s refuses %s with the message that the page quotes', (name, given, quoted) => {
    const soma = somaNamed(name as string);
    const scope = { path: 'cells.parameters', owner: soma.name, population: 'cells', neurons, dt, seed: 0 };
    const said = (quoted as string).split('...');
    let message = 'nothing was refused';
    try {
      resolveParameters(soma.parameters, JSON.parse(given as string), scope);
    } catch (error) {
      expect(error).toBeInstanceOf(somagpu.InputError);
      message = (error as Error).message;
    }
    if (said.length === 1) expect(message).toBe(quoted);
    else expect(message.slice(0, said[0]?.length)).toBe(said[0]);
  });

  test('a cooldown lasts as many steps as the page says', () => {
    const rows = tableWith('cooldown (ms) | steps');
    expect(rows).toHaveLength(4);
    for (const { cells } of rows) expect(wholeSteps(Number(cells[0]), dt), cells[0]).toBe(Number(cells[1]));
  });

  test('the longest cooldown is as long as the page says', () => {
    const most = Number(doc.match(/is refused, and one beyond (\d+) steps/)?.[1]);
    const soma = somagpu.RefractoryExponentialSoma;
    const scope = { path: 'p', owner: soma.name, population: 'cells', neurons, dt: 1, seed: 0 };
    expect(resolveParameters(soma.parameters, { cooldown: most }, scope).cooldown).toBe(most);
    expect(() => resolveParameters(soma.parameters, { cooldown: most + 1 }, scope)).toThrow(`${most} steps`);
  });

  test('the default soma at 65 pA has the intervals that the page says', () => {
    const rows = tableWith('dt (ms) | interval between spikes (ms)');
    expect(rows.map(({ cells }) => cells[0])).toEqual(['1', '0.1', 'towards 0']);
    const said = rows.map(({ cells }) => cells[1]);
    expect(said).toEqual([eulerInterval(1).toFixed(1), eulerInterval(0.1).toFixed(1), exactInterval().toFixed(2)]);
  });

  test('the exponent is capped in every soma where the page says', () => {
    const cap = doc.match(/the argument of `exp` is capped at (\d+)/)?.[1];
    for (const { name, wgsl } of somas) expect(wgsl, name).toContain(`exp(select(x,lane(${cap}.0),x>lane(${cap}.0)))`);
  });

  test('the defaults of dt and seed are those of the code', () => {
    const code = read('src/simulation.ts').match(/dt = ([\d.]+), seed = (\d+)/);
    expect(doc).toContain(`\`dt\` is ${code?.[1]} ms by default`);
    expect(section('Fields of every config')).toContain(`| \`simulation.dt\` | ${code?.[1]} ms by default`);
    expect(section('Fields of every config')).toContain(`| \`simulation.seed\` | ${code?.[2]} by default`);
  });
});

// dV/dt of the default ExponentialSoma at 65 pA, V in mV above rest, from the table's own defaults.
function slope(v: number): number {
  const of = (name: keyof somagpu.ExponentialSomaConfig) => somagpu.ExponentialSoma.parameters[name].default as number;
  const onset = of('spike_slope') * Math.exp((v - of('rheobase_threshold') + of('potential_rest')) / of('spike_slope'));
  return (-v + onset + of('resistance') * 65) / of('potential_tau');
}

const above = (name: 'potential_reset' | 'threshold') => {
  const { parameters } = somagpu.ExponentialSoma;
  return (parameters[name].default as number) - (parameters.potential_rest.default as number);
};

function eulerInterval(dt: number): number {
  const spikes: number[] = [];
  for (let v = 0, step = 0; spikes.length < 2; step++) {
    v += dt * slope(v);
    if (v <= above('threshold')) continue;
    spikes.push(step);
    v = above('potential_reset');
  }
  return ((spikes[1] as number) - (spikes[0] as number)) * dt;
}

/** The time from reset to threshold: the midpoint rule over dV / (dV/dt). */
function exactInterval(): number {
  const [from, to, parts] = [above('potential_reset'), above('threshold'), 20_000];
  const width = (to - from) / parts;
  let time = 0;
  for (let part = 0; part < parts; part++) time += width / slope(from + (part + 0.5) * width);
  return time;
}
