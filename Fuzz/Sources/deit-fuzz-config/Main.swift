import FuzzDriver

/// The readers of configurations, in a program of their own because their library is linked with libtorch.
@main enum Main {
    static func main() { Fuzzer.run(["config": { $0.readConfiguration() }]) }
}
