import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const PACKAGES = ["onnxruntime-node", "@tensorflow/tfjs", "gpt-tokenizer"];
const LIBRARY = "@huggingface/tokenizers";
const require = createRequire(import.meta.url);

/** Of this program. */
export const VERSION = versionOf("../package.json");

/** Versions of what has a say in the numbers, by name. */
export function softwareVersions(): Record<string, string> {
	const versions = PACKAGES.map((name) => [name, versionOf(`${name}/package.json`)]);
	// This package doesn't export its manifest.
	const library = join(dirname(require.resolve(LIBRARY)), "..", "package.json");
	return { tailtune: VERSION, node: process.version, ...Object.fromEntries(versions), [LIBRARY]: versionOf(library) };
}

function versionOf(manifest: string): string {
	return (require(manifest) as { version: string }).version;
}
