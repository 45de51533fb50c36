import { prove } from './prove.mjs';

await prove(process.argv.slice(2), (name) => import(name));
