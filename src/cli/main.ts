// The command line: arguments, exit codes and signals. What the commands do stands in run.ts, somas.ts, fi.ts, rheobase.ts
// and import-spark.ts beside it.

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { InputError, NoBackendError, SomaError, version } from '../index.ts';
import { Exit } from './exit.ts';
import { fi } from './fi.ts';
import { importSpark } from './import-spark.ts';
import { printRheobase } from './rheobase.ts';
import { run } from './run.ts';
import { printSomas } from './somas.ts';

function seed(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 0xffffffff) return value;
  throw new InvalidArgumentError('It wants a whole number from 0 to 4294967295.');
}

function whole(text: string): number {
  if (/^\d+$/.test(text) && Number(text) <= 0xffffffff) return Number(text);
  throw new InvalidArgumentError('It wants a whole number.');
}

function count(text: string): number {
  if (/^\d+$/.test(text) && Number(text) <= 1024) return Number(text);
  throw new InvalidArgumentError('It wants a whole number from 0 to 1024.');
}

function milliseconds(text: string): number {
  if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  throw new InvalidArgumentError('It wants a number of ms.');
}

function current(text: string): number {
  if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  throw new InvalidArgumentError('It wants a number of pA.');
}

function setting(text: string, before: Record<string, number> = {}): Record<string, number> {
  const [, name = '', value = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (value.trim() === '' || !Number.isFinite(Number(value))) {
    throw new InvalidArgumentError('It wants the name of a parameter and a number: spike_slope=1.5.');
  }
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} was set before; set it once.`);
  return { ...before, [name]: Number(value) };
}

function units(text: string): number[] {
  const sides = text.split('x').map(Number);
  const neurons = sides.reduce((product, side) => product * side, 1);
  if (/^\d+(x\d+)*$/.test(text) && neurons >= 1 && neurons <= 0xffffffff) return sides;
  throw new InvalidArgumentError('It wants a number of neurons, or their shape: 64 or 8x8.');
}

const program = new Command('somagpu')
  .description('Exponential integrate-and-fire neurons by the million.')
  .version(version)
  .exitOverride()
  .showSuggestionAfterError();

program
  .command('run')
  .description('run an experiment file and write what it recorded')
  .argument('<experiment>', 'a JSON file; docs/experiment.md says what goes into it')
  .requiredOption('--out <dir>', 'folder for what every population recorded, and summary.json')
  .addOption(
    new Option(
      '--backend <path>',
      'what runs the neurons: a GPU, or all cores; auto: a GPU in hardware, else the cores',
    )
      .choices(['auto', 'webgpu', 'cpu'])
      .default('auto'),
  )
  .addOption(
    new Option('--workers <n>', 'threads of the cpu backend; as many as the processor runs by default').argParser(
      count,
    ),
  )
  .addOption(new Option('--seed <n>', "instead of the experiment's seed").argParser(seed))
  .addOption(
    new Option('--format <name>', 'NAME.npz of every population, or NAME.spikes.csv and so on')
      .choices(['npz', 'csv'])
      .default('npz'),
  )
  .option('--picture', 'draw the spike raster and the rate of every population that records spikes, as NAME.svg')
  .addOption(
    new Option(
      '--checkpoint <ms>',
      'model time after which to save, again and again, what --resume goes on from',
    ).argParser(milliseconds),
  )
  .option('--resume', 'go on from the checkpoint in the output folder')
  .option('--quiet', 'print nothing but errors')
  .action(async (file, options) => {
    process.exitCode = (await run(file, options)) ? Exit.interrupted : Exit.done;
  });

program
  .command('somas')
  .description('print the somas with their parameters and states')
  .argument('[name]', 'only this one; or a .wgsl file with one of your own, which is checked')
  .action(printSomas);

/** A command about one neuron under constant currents. */
const aboutNeuron = (name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .argument('<soma>', 'the name of a soma; or an experiment file, for a neuron of one of its populations')
    .option('--population <name>', "which of the experiment's populations, where there are several")
    .addOption(new Option('--neuron <n>', 'which of its neurons; 0 by default').argParser(whole))
    .addOption(
      new Option(
        '--set <name=value>',
        'a parameter, instead of its default or what the file has; again for others',
      ).argParser(setting),
    )
    .addOption(new Option('--dt <ms>', "time step; the experiment's, or 0.1, by default").argParser(milliseconds))
    .addOption(new Option('--duration <ms>', 'how long each current is on').default(1000).argParser(milliseconds));

aboutNeuron('fi', 'print how fast a neuron fires under constant currents')
  .addOption(new Option('--from <pA>', 'the first current').default(0).argParser(current))
  .addOption(new Option('--to <pA>', 'the last; by default well above rheobase').argParser(current))
  .addOption(new Option('--points <n>', 'how many currents, evenly spaced').default(25).argParser(whole))
  .addOption(
    new Option('--settle <ms>', 'the steady rate is of what comes then; half of the duration by default').argParser(
      milliseconds,
    ),
  )
  .option('--json', 'print JSON instead of a table')
  .action(fi);

aboutNeuron('rheobase', 'print the current from which on a neuron fires: from its equations, and by trying')
  .addOption(new Option('--from <pA>', 'where to look; by default around what the equations say').argParser(current))
  .addOption(new Option('--to <pA>', 'where to look').argParser(current))
  .addOption(new Option('--settle <ms>', 'count only spikes that come then').default(0).argParser(milliseconds))
  .addOption(new Option('--precision <pA>', 'how near to come').default(0.01).argParser(current))
  .option('--json', 'print JSON instead of a table')
  .action(printRheobase);

program
  .command('import-spark')
  .description('turn a soma configuration saved by Spark 1.0.0 into an experiment file')
  .argument('<file>', 'what config.to_file wrote, compressed or not')
  .addOption(
    new Option('--units <n>', 'how many neurons, or their shape: 64 or 8x8').argParser(units).makeOptionMandatory(),
  )
  .addOption(new Option('--dt <ms>', "time step, instead of the file's").argParser(milliseconds))
  .addOption(new Option('--duration <ms>', 'how long to run; by default about 1000').argParser(milliseconds))
  .option('--out <file>', 'where the experiment goes, instead of to stdout')
  .action(importSpark);

function exitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.done : Exit.wrongInput;
  if (error instanceof InputError) return Exit.wrongInput;
  if (error instanceof NoBackendError) return Exit.noBackend;
  return Exit.failed;
}

// Errors we throw and errors of the system say all in their message; anything else is a bug, and its stack helps.
function report(error: unknown): string {
  const expected = error instanceof SomaError || (error instanceof Error && 'code' in error);
  return expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCode(error);
  if (!(error instanceof CommanderError)) process.stderr.write(`somagpu: ${report(error)}\n`);
}
