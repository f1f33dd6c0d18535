import { type Command, Option } from "commander";
import type { WorkerSide } from "../../shared/worker-port.ts";
import { EXPORT_FORMATS, type ExportFormat, exportRun } from "../export/export-run.ts";
import { writeJsonLine } from "../terminal/write-json-line.ts";
import { showEvents } from "./show-events.ts";

interface Options {
	readonly format: ExportFormat;
	readonly out: string;
	readonly json?: boolean;
}

/** `tailtune export`: the tuned model of a run in a form that other programs load. */
export function addExportCommand(program: Command, { buildOnnxClassifier }: WorkerSide): void {
	program
		.command("export")
		.description("write the model of a run for transformers, ONNX runtimes or any reader of safetensors")
		.argument("<run>", "result folder of a run")
		.addOption(new Option("--format <format>", "what to write").choices(EXPORT_FORMATS).makeOptionMandatory())
		.requiredOption("--out <folder>", "new or empty folder to write to")
		.action(async (run: string, _options: object, command: Command) => {
			const { format, out, json } = command.optsWithGlobals<Options>();
			await exportRun({ run, format, out, buildOnnxClassifier });
			if (json) writeJsonLine({ event: "export", format, folder: out });
			else showEvents({}).line(`${out}: the model as ${format}`);
		});
}
