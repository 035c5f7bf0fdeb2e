import Foundation
import TestSupport
import Testing

@Suite("Fixture manifests", .tags(.parity))
struct ManifestTests {
    struct Manifest: Decodable {
        struct File: Decodable {
            let sha256: String
            let bytes: Int
        }

        let files: [String: File]
    }

    static let cases: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(atPath: fixtures.path)
        return (names ?? []).filter { !$0.contains(".") }.sorted()
    }()

    @Test("There are cases")
    func casesExist() {
        #expect(Self.cases.count >= 6)
    }

    @Test("Every file is the one that was made", .needsProgram("sha256sum"), arguments: cases)
    func digests(name: String) throws {
        let folder = fixtures.appending(path: name)
        let manifest = try JSONDecoder().decode(
            Manifest.self,
            from: Data(contentsOf: folder.appending(path: "manifest.json"))
        )
        let found = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(found) == Set(manifest.files.keys).union(["README.md", "manifest.json"]))
        for (file, expected) in manifest.files {
            #expect(
                try sha256(folder.appending(path: file)) == expected.sha256,
                "\(name)/\(file) has been changed"
            )
        }
    }

    private func sha256(_ file: URL) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["sha256sum", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        return String(text.prefix(64))
    }
}
