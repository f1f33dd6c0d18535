import { type Command, Option } from "commander";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { EXPORT_FORMATS, type ExportFormat, QUANTIZATIONS, type Quantization } from "../export/export-formats.ts";
import { writeJsonLine } from "../terminal/write-json-line.ts";
import { showEvents } from "./show-events.ts";

interface Options {
	readonly format: ExportFormat;
	readonly quantize?: Quantization;
	readonly out: string;
	readonly json?: boolean;
}

/** `tailtune export`: writes the tuned model of a run in a format of other programs. */
export function addExportCommand(program: Command, { buildOnnxClassifier }: WorkerSide): void {
	program
		.command("export")
		.description("convert the model of a run for transformers, ONNX runtimes or readers of safetensors")
		.argument("<run>", "result folder of a run")
		.addOption(new Option("--format <format>", "output format").choices(EXPORT_FORMATS).makeOptionMandatory())
		.addOption(
			new Option(
				"--quantize <type>",
				"with --format onnx: numbers of the weights; int8: a quarter of the size (default: float32)",
			).choices(QUANTIZATIONS),
		)
		.requiredOption("--out <folder>", "output folder; must be new or empty")
		.action(async (run: string, _options: object, command: Command) => {
			const { format, quantize, out, json } = command.optsWithGlobals<Options>();
			const { exportRun } = await import("../export/export-run.ts");
			await exportRun({ run, format, quantize, out, buildOnnxClassifier });
			if (json) writeJsonLine({ event: "export", format, folder: out });
			else showEvents({}).line(`wrote ${out} (${format})`);
		});
}
