import Foundation
import TestSupport
import Testing

/// `scripts/setup.sh` with a stand-in for pip: no network, and nothing outside a temporary folder is written.
@Suite("Set-up", .tags(.endToEnd), .needsProgram("python3"), .needsProgram("pkg-config"))
struct SetupTests {
    @Test("A broken download is noticed and repeated, and a second run downloads nothing")
    func repeatsBrokenDownload() throws {
        try withTemporaryFolder { folder in
            try installPip(in: folder, brokenDownloads: 2)
            let first = try setup(in: folder)
            #expect(first.status == 0, "\(first.errors)")
            #expect(first.errors.contains("the wheel is broken"))
            #expect(first.errors.contains("attempt 3 of 3"))
            let libtorch = folder.appending(path: "cache/swift-deit/libtorch-2.13/torch")
            #expect(
                FileManager.default.fileExists(
                    atPath: libtorch.appending(path: "lib/libtorch_cpu.so").path
                )
            )
            let description = try String(
                contentsOf: folder.appending(path: "cache/swift-deit/pkgconfig/libtorch.pc"),
                encoding: .utf8
            )
            #expect(description.contains("prefix=\(libtorch.path)\n"))

            let second = try setup(in: folder)
            #expect(second.status == 0)
            #expect(!second.errors.contains("downloading"))
        }
    }

    @Test("Three broken downloads end with one sentence and leave nothing half done")
    func givesUp() throws {
        try withTemporaryFolder { folder in
            try installPip(in: folder, brokenDownloads: 9)
            let result = try setup(in: folder)
            #expect(result.status == 1)
            #expect(result.errors.contains("setup: error: libtorch could not be downloaded"))
            let cache = folder.appending(path: "cache/swift-deit")
            #expect(
                !FileManager.default.fileExists(atPath: cache.appending(path: "libtorch-2.13").path)
            )
            #expect(
                !FileManager.default.fileExists(atPath: cache.appending(path: "pkgconfig").path)
            )
        }
    }

    #if os(Linux) && arch(x86_64)
    @Test("LIBTORCH_CUDA gets NVIDIA's libraries of the wheel, in a folder of its own")
    func getsCUDA() throws {
        try withTemporaryFolder { folder in
            try installPip(in: folder, brokenDownloads: 0)
            let result = try setup(in: folder, ["LIBTORCH_CUDA": "1"])
            #expect(result.status == 0, "\(result.errors)")
            let parent = folder.appending(path: "cache/swift-deit/libtorch-2.13-cuda")
            let wanted = try String(
                contentsOf: parent.appending(path: "requirements"),
                encoding: .utf8
            )
            #expect(wanted == "nvidia-nccl-cu13==2.28\ncuda-toolkit[cudart]==13.0.2\n")
            let description = try String(
                contentsOf: folder.appending(path: "cache/swift-deit/pkgconfig/libtorch.pc"),
                encoding: .utf8
            )
            #expect(description.contains("prefix=\(parent.path)/torch\n"))
        }
    }
    #endif

    @Test("LIBTORCH must be a folder with libtorch in it")
    func namesWrongFolder() throws {
        try withTemporaryFolder { folder in
            let absent = try setup(in: folder, ["LIBTORCH": folder.appending(path: "absent").path])
            #expect(absent.status == 1)
            #expect(absent.errors.contains("is not a folder"))
            let empty = try setup(in: folder, ["LIBTORCH": folder.path])
            #expect(empty.status == 1)
            #expect(empty.errors.contains("no libtorch in \(folder.path)"))
        }
    }

    /// Puts a `python3` on the path whose `pip download` leaves a wheel that is cut short, or a small good one.
    private func installPip(in folder: URL, brokenDownloads: Int) throws {
        let script = """
            #!/usr/bin/env bash
            # Everything but `pip download` and `pip install` is for the real interpreter.
            real() { PATH=${PATH#*:} exec python3 "$@"; }
            if [[ "$*" == *"pip install"* ]]; then
              while [[ $1 != --target ]]; do shift; done
              cp "$4" "$2/requirements"
              exit
            fi
            [[ "$*" == *"pip download"* ]] || real "$@"
            while [[ $1 != -d ]]; do shift; done
            tries=$(cat "\(folder.path)/tries" 2>/dev/null || echo 0)
            echo $((tries + 1)) >"\(folder.path)/tries"
            PATH=${PATH#*:} python3 - "$2/torch-2.13.0-any.whl" $((tries < \(brokenDownloads))) <<'PYTHON'
            import sys, zipfile
            with zipfile.ZipFile(sys.argv[1], "w") as wheel:
                wheel.writestr("torch/include/ATen/ATen.h", "// a header\\n" * 1000)
                wheel.writestr("torch/lib/libtorch_cpu.so", "a library\\n" * 1000)
                wheel.writestr("torch/lib/libtorch_cuda.so", "a library\\n")
                wheel.writestr("torch.dist-info/METADATA", "Requires-Dist: sympy>=1\\n"
                    "Requires-Dist: nvidia-nccl-cu13==2.28; platform_system == 'Linux'\\n"
                    "Requires-Dist: cuda-toolkit[cudart]==13.0.2; platform_system == 'Linux'\\n")
            if sys.argv[2] == "1":
                with open(sys.argv[1], "r+b") as file:
                    file.truncate(9000)
            PYTHON
            """
        let program = folder.appending(path: "bin/python3")
        try FileManager.default.createDirectory(
            at: program.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try script.write(to: program, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755],
            ofItemAtPath: program.path
        )
    }

    private func setup(
        in folder: URL,
        _ variables: [String: String] = [:]
    ) throws -> (status: Int32, errors: String) {
        let process = Process()
        process.executableURL = Checkout.root.appending(path: "scripts/setup.sh")
        var environment = ProcessInfo.processInfo.environment
        environment["LIBTORCH"] = nil
        environment["LIBTORCH_CUDA"] = nil
        environment["LIBTORCH_USE_PYTORCH"] = nil
        environment["XDG_CACHE_HOME"] = folder.appending(path: "cache").path
        environment["SETUP_SYSTEM_PKGCONFIG"] = folder.appending(path: "system").path
        environment["PATH"] = "\(folder.path)/bin:\(environment["PATH"] ?? "/usr/bin:/bin")"
        process.environment = environment.merging(variables) { $1 }
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let text = String(
            decoding: errors.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}
