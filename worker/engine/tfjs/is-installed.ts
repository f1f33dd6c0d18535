import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Returns whether an optional package, which is not a dependency of Tailtune, is installed. */
export function isInstalled(name: string): boolean {
	try {
		return require.resolve(name) !== "";
	} catch {
		return false;
	}
}
