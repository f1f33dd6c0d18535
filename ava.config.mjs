// `npm test` compiles the tests first (test/compile-tests.mjs); a single file, `npx ava FILE`, is loaded as it is.
const isCompiled = process.env.TAILTUNE_TEST_COMPILED === "yes";

export default {
	...(isCompiled
		? { files: [".tests/**/*.test.mjs"], nodeArguments: ["--import=./test/environment.mjs", "--enable-source-maps"] }
		: {
				files: ["test/**/*.test.ts"],
				extensions: { ts: "module" },
				nodeArguments: ["--import=./test/load-typescript.mjs"],
			}),
	timeout: "5m",
	concurrency: 3,
	workerThreads: false,
};
