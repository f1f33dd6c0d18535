// Run by download.test.ts: downloads a file of known size and checksum, until it is killed, and prints the received bytes.

import { downloadFile } from "../../../shared/files/download.ts";

const [source = "", path = ""] = process.argv.slice(2);
await downloadFile(JSON.parse(source), path, { onProgress: (done) => console.log(done) });
