// The loader of tests and benchmarks: has Node run TypeScript as it is, by tsx.
import { register } from "tsx/esm/api";
import "./environment.mjs";

register();
