import { posix, win32 } from "node:path";
import test from "ava";
import { placeOnDrive } from "../../../../worker/engine/onnx/graph-builder.ts";

test("a stored tensor's file is named from its own drive, which may be another than the working folder's", (t) => {
	const file = "models\\gpt2\\model.safetensors";
	t.deepEqual(placeOnDrive(`D:\\${file}`, win32), { drive: "D:\\", location: file });
	t.deepEqual(placeOnDrive(`\\\\host\\share\\${file}`, win32), { drive: "\\\\host\\share\\", location: file });
	t.deepEqual(placeOnDrive("/models/gpt2/model.safetensors", posix), {
		drive: "/",
		location: "models/gpt2/model.safetensors",
	});
});
