import CLibFuzzer
import Foundation
import Storage

/// What libFuzzer feeds: one parser, named by the variable `DEIT_FUZZ`.
enum FuzzTarget: String, CaseIterable {
    case safetensors
    case zip
    case pickle
    case config
    case cifar
    case tar
    case list
    case exif

    static let chosen: FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["DEIT_FUZZ"] ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            let names = allCases.map(\.rawValue).joined(separator: ", ")
            FileHandle.standardError.write(Data("DEIT_FUZZ must be one of \(names)\n".utf8))
            exit(2)
        }
        return target
    }()

    /// Reads the bytes as far as they make sense; a typed error is as good as success.
    func run(_ source: MemorySource) {
        switch self {
        case .safetensors: source.readSafetensors()
        case .zip: source.readPyTorch()
        case .pickle: source.readPickle()
        case .config: source.readConfiguration()
        case .cifar: source.readCIFAR()
        case .tar: source.readTar()
        case .list: source.readList()
        case .exif: source.readOrientation()
        }
    }
}

/// Runs libFuzzer, whose arguments are the command's.
@main enum Fuzzing {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
                let buffer = UnsafeBufferPointer(start: bytes, count: count)
                FuzzTarget.chosen.run(MemorySource(Array(buffer)))
                return 0
            }
        )
    }
}
