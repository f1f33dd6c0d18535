import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Whether a package that is no dependency of Tailtune is there. */
export function isInstalled(name: string): boolean {
	try {
		return require.resolve(name) !== "";
	} catch {
		return false;
	}
}
