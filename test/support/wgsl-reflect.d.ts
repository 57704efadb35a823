// wgsl_reflect's Node entry is broken; its module has no types of its own beside it, but they are the package's.

declare module 'wgsl_reflect/wgsl_reflect.module.js' {
  export * from 'wgsl_reflect';
}
