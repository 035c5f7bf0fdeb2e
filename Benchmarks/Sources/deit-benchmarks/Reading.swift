import Checkpoints
import Foundation
import Torch
import VisionModels

/// Reading the weights of DeiT-S, 88 MB, beside reading the same bytes.
///
/// The file is in the system's cache, and both ways get memory that was used before: what is compared is copying,
/// not the disk, nor the system's handing out of pages.
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
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 100 << 20, alignment: 64)
    defer { buffer.deallocate() }
    for (name, path) in [("safetensors", safetensors), (".pth", pytorch)] {
        let (ours, bytes) = try fastest(repetitions: 9, calls: 1) { _ in
            try seconds {
                let archive = try WeightsArchive.open(path)
                for tensor in archive.tensors { _ = try archive.read(tensor) }
            }
        } _: { _ in
            try seconds { try readBytes(path, into: buffer) }
        }
        Comparison.row(name, against: "its bytes", atLeast: 0.7, (ours, bytes))
    }
}

/// Reads a file's bytes as a plain program does.
private func readBytes(_ path: String, into buffer: UnsafeMutableRawBufferPointer) throws {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    var done = 0
    while true {
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
        let count = read(file.fileDescriptor, rest.baseAddress, rest.count)
        guard count >= 0 else { throw CocoaError(.fileReadUnknown) }
        if count == 0 { return }
        done += count
    }
}
