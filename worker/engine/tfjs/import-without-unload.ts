import { constants } from "node:os";

/** A flag of dlopen. Node has names for all others, but not for this one. Windows has no such flags. */
const RTLD_NODELETE = process.platform === "darwin" ? 0x80 : 0x1000;

/**
 * Imports a package and keeps its native addon loaded until the process ends. Node unloads a thread's addons when the
 * thread ends, but TensorFlow registers functions that the C library calls when the process ends: without the addon
 * this crashes.
 * @param file main file of the package, absolute: the compiled program may be in another folder than the packages
 */
export async function importWithoutUnload<Package>(file: URL): Promise<Package> {
	const { dlopen } = process;
	process.dlopen = (module, file, flags = constants.dlopen.RTLD_LAZY) =>
		dlopen.call(process, module, file, flags | RTLD_NODELETE);
	try {
		return await import(file.href);
	} finally {
		process.dlopen = dlopen;
	}
}
