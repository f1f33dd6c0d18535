// To be preloaded (--import): native libraries whose files' names hold BROKEN_LIBRARY can't be loaded.
const { dlopen, env } = process;

process.dlopen = (module, file, ...flags) => {
	if (env.BROKEN_LIBRARY && file.includes(env.BROKEN_LIBRARY)) {
		throw new Error("libmissing.so.1: cannot open shared object file: No such file or directory");
	}
	return dlopen.call(process, module, file, ...flags);
};
