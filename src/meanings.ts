// What parameters, states and inputs mean, in the words of the shaders: for sliders, tables and documentation. A public
// entry of its own; the engine runs without it.

export { inputMeanings, parameterMeanings, stateMeanings } from './generated/meanings.ts';
