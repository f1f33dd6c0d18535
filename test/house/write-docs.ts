// npm run docs: writes the pages generated from the code.
import { mkdir, writeFile } from "node:fs/promises";
import { renderOutputPage } from "./output-page.ts";

const folder = new URL("../../docs/", import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(new URL("output.md", folder), renderOutputPage());
