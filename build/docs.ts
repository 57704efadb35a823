// The documentation site, dist/docs: `npm run docs`. The pages that are generated are written anew, then TypeDoc makes a
// site of all pages and of what the package's entries export. A warning fails it, and so does a link that leads nowhere.

import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, Comment, Converter, type DocumentReflection, ReflectionKind, type TypeDocOptions } from 'typedoc';
import { writeChanged } from './generate.ts';
import { somasPage } from './somas-doc.ts';
import { validationPage } from './validation-doc.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The first pages, in the order in which one reads them; the others follow by name. */
const FIRST = [
  'getting-started',
  'experiment',
  'somas',
  'own-somas',
  'embedding',
  'analysis',
  'page',
  'numerics',
  'validation',
];
/** What is a page of the site and not in docs/. */
const BESIDE = ['CONTRIBUTING.md', 'CHANGELOG.md', 'bench/peers/README.md', 'test/data/README.md'];

/** Every page but the README, which opens the site, from the repository's root. */
export function pages(): string[] {
  const place = (file: string) => (FIRST.indexOf(file.slice(0, -'.md'.length)) + FIRST.length + 1) % (FIRST.length + 1);
  const found = readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md'));
  const sorted = found.sort((a, b) => place(a) - place(b) || a.localeCompare(b));
  return [...sorted.map((file) => `docs/${file}`), ...BESIDE];
}

/** The package's entries that export something of their own: their name, and the source that it is made from. */
function entries(): Map<string, string> {
  const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, string | { types: string }> };
  const found = new Map<string, string>();
  for (const [entry, target] of Object.entries(exports)) {
    if (typeof target === 'string' || entry === './worker') continue;
    const source = target.types.replace('./dist/types/', '').replace('.d.ts', '.ts');
    if (![...found.values()].includes(source)) found.set(entry.replace('.', 'somagpu'), source);
  }
  return found;
}

const OPTIONS: TypeDocOptions = {
  name: 'somagpu',
  tsconfig: join(ROOT, 'tsconfig.build.json'),
  basePath: ROOT,
  // `npm test` has the types checked by then.
  skipErrorChecking: true,
  readme: join(ROOT, 'README.md'),
  includeVersion: true,
  customCss: join(ROOT, 'build/docs.css'),
  navigation: { includeFolders: false },
  disableGit: true,
  disableSources: true,
  excludePrivate: true,
  excludeInternal: true,
  highlightLanguages: ['typescript', 'javascript', 'json', 'html', 'sh', 'console', 'text', 'wgsl'],
  // A shorter way to write a type, of no interest to a reader.
  intentionallyNotExported: ['src/initializers.ts:Options'],
  // Paths are judged by what came out: they may be of folders.
  validation: { invalidLink: true, invalidPath: false, notExported: true, rewrittenLink: true },
  logLevel: 'Warn',
};

/** Makes the site in a folder. @throws Error naming how many warnings there were, or the links that lead nowhere */
export async function buildSite(out: string): Promise<void> {
  const sources = entries();
  const pagesAndEntries = { projectDocuments: pages(), entryPoints: [...sources.values()] };
  const app = await Application.bootstrap({ ...OPTIONS, ...pagesAndEntries });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const names = [...sources.keys()];
    for (const [i, module] of project.getChildrenByKind(ReflectionKind.Module).entries()) {
      module.name = names[i] as string;
      module.comment = new Comment([{ kind: 'text', text: about(module.name) }]);
    }
    for (const page of project.documents ?? []) page.name = titleOf(page);
  });
  const project = await app.convert();
  if (project) {
    app.validate(project);
    await app.generateDocs(project, out);
  }
  const { errorCount, warningCount } = app.logger;
  if (errorCount + warningCount > 0) throw new Error(`${errorCount} errors and ${warningCount} warnings of TypeDoc`);
  finish(out);
  const broken = brokenLinks(out);
  if (broken.length > 0) throw new Error(`links that lead nowhere:\n${broken.join('\n')}`);
}

/** What the README's table of entries says of one. */
function about(entry: string): string {
  const [, words] = new RegExp(`^\\| \`${entry}\` \\| (.+) \\|$`, 'm').exec(read('README.md')) ?? [];
  if (!words) throw new Error(`README.md says nothing of ${entry} in its table of entries`);
  return words.replace(/\[(.+?)\]\(.+?\)/g, '$1');
}

/** A page is called what its heading says. */
const titleOf = ({ name, content }: DocumentReflection): string => {
  const text = content.map((part) => part.text).join('');
  return /^# (.+)$/m.exec(text)?.[1]?.replace(/`/g, '') ?? name;
};

const htmlOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.html'));

// Of source files that pages name a browser shows only .txt, and saves the rest; folders that they name are not here.
function finish(out: string): void {
  const media = join(out, 'media');
  const sources = readdirSync(media).filter((name) => /\.(ts|py|wgsl|json|md)$/.test(name));
  for (const name of sources) renameSync(join(media, name), join(media, `${name}.txt`));
  const found = readdirSync(media);
  for (const file of htmlOf(out).map((file) => join(out, file))) {
    const text = readFileSync(file, 'utf8')
      .replace(/media\/([^"/]+)"/g, (given, name) => (sources.includes(name) ? `media/${name}.txt"` : given))
      .replace(/<a [^>]*href="[./]*media\/([^"/]+)"[^>]*>(.*?)<\/a>/g, (link, name, words) =>
        found.includes(name) ? link : words,
      );
    writeFileSync(file, text);
  }
}

/** The links of a site that lead to no file in it, or to no place in one. */
export function brokenLinks(folder: string): string[] {
  const texts = new Map(htmlOf(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
  const places = new Map(
    [...texts].map(([file, text]) => [file, new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))]),
  );
  const leadsNowhere = (from: string, link: string): boolean => {
    const [path = '', place] = decodeURIComponent(link.replaceAll('&amp;', '&')).split('#');
    const file = path === '' ? from : normalize(join(dirname(from), path));
    return place && texts.has(file) ? !places.get(file)?.has(place) : !existsSync(join(folder, file));
  };
  return [...texts].flatMap(([file, text]) =>
    [...text.matchAll(/\s(?:href|src)="([^"]+)"/g)]
      .map(([, link]) => link as string)
      .filter((link) => !/^(\w+:|#$)/.test(link) && leadsNowhere(file, link))
      .map((link) => `${file}: ${link}`),
  );
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) {
  writeChanged(join(ROOT, 'docs/somas.md'), somasPage());
  writeChanged(join(ROOT, 'docs/validation.md'), await validationPage());
  await buildSite(join(ROOT, 'dist/docs'));
}
