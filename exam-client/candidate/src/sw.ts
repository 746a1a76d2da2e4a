declare const __PRECACHE__: readonly string[];
const files: readonly string[] = __PRECACHE__;
console.log(files);
