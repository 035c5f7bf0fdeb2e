import FuzzDriver

/// The readers of files, which need no libtorch: a limit of memory applies to them alone.
@main enum Main {
    static func main() {
        Fuzzer.run([
            "safetensors": { $0.readSafetensors() },
            "zip": { $0.readPyTorch() },
            "pickle": { $0.readPickle() },
            "cifar": { $0.readCIFAR() },
            "tar": { $0.readTar() },
            "list": { $0.readList() },
            "exif": { $0.readOrientation() },
        ])
    }
}
