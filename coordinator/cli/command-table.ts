import type { Command } from "commander";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";

/** Adds a command to the command line. */
type AddCommand = (program: Command, workerSide: WorkerSide) => void | Promise<void>;

/** A command, and what it prints on a terminal before its implementation is loaded. */
export interface CommandEntry {
	/** Loads the definition of the command's arguments and flags. Its implementation is loaded only when it runs. */
	readonly load: () => Promise<AddCommand>;
	/** Returns the line, for example "opening runs/NAME"; undefined if a required flag is missing. */
	readonly describeWork: (args: readonly string[], flags: Readonly<Record<string, unknown>>) => string | undefined;
	/**
	 * Whether the command usually ends within a second. If so, the line would only disturb, so it is printed only if the
	 * command has printed nothing after a second. Default: false, the line is printed at once.
	 */
	readonly isQuick?: boolean;
}

/** Default folder of runs. */
const RUNS = "runs";

const ONE_MACHINE: Readonly<Record<string, CommandEntry>> = {
	train: {
		load: async () => (await import("./train-command.ts")).addTrainCommand,
		describeWork: (_, { resume, data, train, config }) =>
			resume ? `opening ${resume}` : `reading ${data ?? train ?? config ?? "texts"}`,
	},
	sweep: {
		load: async () => (await import("./sweep-command.ts")).addSweepCommand,
		describeWork: (_, { resume }) => (resume ? `opening ${resume}` : "preparing the trials"),
	},
	evaluate: {
		load: async () => (await import("./evaluate-command.ts")).addEvaluateCommand,
		describeWork: (_, { data }) => (data ? `reading ${data}` : undefined),
	},
	compare: {
		load: async () => (await import("./compare-command.ts")).addCompareCommand,
		describeWork: (runs) => `reading ${runs.join(", ")}`,
		isQuick: true,
	},
	ui: {
		load: async () => (await import("./ui-command.ts")).addUiCommand,
		describeWork: ([runs = RUNS]) => `reading the runs in ${runs}`,
	},
	classify: {
		load: async () => (await import("./classify-command.ts")).addClassifyCommand,
		describeWork: ([run]) => `opening ${run}`,
		isQuick: true,
	},
	serve: {
		load: async () => (await import("./serve-command.ts")).addServeCommand,
		describeWork: ([run]) => `opening ${run}`,
	},
	export: {
		load: async () => (await import("./export-command.ts")).addExportCommand,
		describeWork: ([run], { format }) => `converting ${run} to ${format}`,
	},
	push: {
		load: async () => (await import("./push-command.ts")).addPushCommand,
		describeWork: ([run]) => `preparing the files of ${run}`,
	},
	doctor: {
		load: async () => (await import("./doctor-command.ts")).addDoctorCommand,
		describeWork: ([data], { train }) => {
			const read = data ?? train;
			return read ? `reading ${read}` : "examining this machine";
		},
	},
	quickstart: {
		load: async () => (await import("./quickstart-command.ts")).addQuickstartCommand,
		describeWork: () => "getting texts and a model",
	},
};

const MANY_MACHINES: typeof ONE_MACHINE = {
	worker: {
		load:
			async () =>
			(program, { addWorkerCommand }) =>
				addWorkerCommand(program),
		describeWork: (_, { nats }) => `connecting to ${nats}`,
	},
	runs: {
		load: async () => (await import("./runs-command.ts")).addRunsCommand,
		describeWork: ([folder = RUNS], { nats }) => `reading ${nats ? `the runs of ${nats}` : folder}`,
		isQuick: true,
	},
	workers: {
		load: async () => (await import("./workers-command.ts")).addWorkersCommand,
		describeWork: (_, { nats }) => `reading the workers of ${nats}`,
		isQuick: true,
	},
	cancel: {
		load: async () => (await import("./cancel-command.ts")).addCancelCommand,
		describeWork: ([id], { nats }) => `looking for run ${id} at ${nats}`,
		isQuick: true,
	},
};

/** All commands by name, grouped as in the help. Only the modules of the command that is called are loaded. */
export const COMMAND_GROUPS = { "One machine:": ONE_MACHINE, "Many machines:": MANY_MACHINES } as const;

/** Returns the command with this name; undefined if there is none. */
export function findCommand(name: string): CommandEntry | undefined {
	return Object.values(COMMAND_GROUPS).find((commands) => Object.hasOwn(commands, name))?.[name];
}
