// What the build makes of files that are no TypeScript.

declare module '*.wgsl?raw' {
  const text: string;
  export default text;
}
declare module '*.css';
