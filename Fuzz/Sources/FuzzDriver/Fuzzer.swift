internal import CLibFuzzer
import Foundation
public import Storage

/// What libFuzzer feeds: one reader of many, chosen by the variable `DEIT_FUZZ`.
public enum Fuzzer {
    /// Reads bytes as far as they make sense; a typed error is as good as success.
    public typealias Reader = (MemorySource) -> Void

    /// Set once, before libFuzzer calls back: a C function cannot capture it.
    nonisolated(unsafe) private static var reader: Reader = { _ in }

    /// Runs libFuzzer, whose arguments are the command's, and ends the process.
    ///
    /// - Parameter readers: The readers by their names.
    public static func run(_ readers: [String: Reader]) -> Never {
        let name = ProcessInfo.processInfo.environment["DEIT_FUZZ"] ?? ""
        guard let chosen = readers[name] else {
            let names = readers.keys.sorted().joined(separator: ", ")
            FileHandle.standardError.write(Data("DEIT_FUZZ must be one of \(names)\n".utf8))
            exit(2)
        }
        reader = chosen
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
                let buffer = UnsafeBufferPointer(start: bytes, count: count)
                Fuzzer.reader(MemorySource(Array(buffer), path: "input"))
                return 0
            }
        )
    }
}
