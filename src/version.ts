// The package's version, from its one place.

export { version } from '../package.json';
