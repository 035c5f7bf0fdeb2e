import Checkpoints
import Foundation
import Torch
import VisionModels

/// Reading the weights of DeiT-S, 88 MB, beside reading the same bytes into fresh memory.
///
/// The file is in the system's cache: what is compared is copying, not the disk.
@ModelActor
func measureReading() throws {
    print("Reading 88 MB of weights from the system's cache, the fastest of several")
    let folder = FileManager.default.temporaryDirectory
        .appending(path: "deit-benchmarks-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let model = try ModelRegistry.configuration(named: "deit_small_patch16_224").makeModel()
    let tensors = model.namedTensors()
    let safetensors = folder.appending(path: "small.safetensors").path
    let pytorch = folder.appending(path: "small.pth").path
    try Safetensors.write(tensors, to: safetensors)
    try PyTorchWriter.write(tensors, under: "model", to: pytorch)
    for (name, path) in [("safetensors", safetensors), (".pth", pytorch)] {
        let (ours, bytes) = try fastest(repetitions: 9, calls: 1) { _ in
            try seconds {
                let archive = try WeightsArchive.open(path)
                for tensor in archive.tensors { _ = try archive.read(tensor) }
            }
        } _: { _ in
            try seconds { try readBytes(path) }
        }
        report("\(name), its bytes", bytes * 1e3, "ms")
        report("\(name), its tensors", ours * 1e3, "ms", String(format: "%.2f times", ours / bytes))
    }
    print()
}

/// Reads a file's bytes as a plain program does: `read` into memory that is not touched yet.
private func readBytes(_ path: String) throws {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    let size = Int(try file.seekToEnd())
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    defer { buffer.deallocate() }
    try file.seek(toOffset: 0)
    var done = 0
    while done < size {
        let count = read(file.fileDescriptor, buffer.baseAddress.map { $0 + done }, size - done)
        guard count > 0 else { throw CocoaError(.fileReadUnknown) }
        done += count
    }
}
