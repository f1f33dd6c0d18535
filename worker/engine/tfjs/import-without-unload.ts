import { constants } from "node:os";

/** Of dlopen; Node names all of its flags but this one. Windows takes none. */
const RTLD_NODELETE = process.platform === "darwin" ? 0x80 : 0x1000;

/**
 * Imports a package whose addon stays loaded until the process ends. Node unloads the addons of a thread with the thread,
 * but TensorFlow leaves the C library functions of its own to call at the process's end: a call into nothing.
 * @param file of the package, absolute: what imports it may be compiled, and lie somewhere else
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
