import type { JsonLine } from "../events/json-line-schemas.ts";

/** Writes one JSON object as a line. @param stream default: standard output */
export function writeJsonLine(line: JsonLine, stream: NodeJS.WritableStream = process.stdout): void {
	stream.write(`${JSON.stringify(line)}\n`);
}
