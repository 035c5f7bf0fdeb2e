import Foundation
import Testing
import Training

/// Commands that are printed are read by a shell.
@Suite struct ShellLineTests {
    @Test func aShellReadsTheWordsBack() throws {
        let words = [
            "plain-1.csv", "", "my data", "it's", "'", "'\u{301}; echo no", "$HOME", "`id`", "a\\b",
            "\"q\"", "*", "~",
            "a;b", "-x", "--data=1", "ü 猫", "#c", "!x", "line\nend", "\u{600}'$(id)",
        ]
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "printf '%s\\0' " + ShellLine.line(words)]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let read = output.split(separator: 0, omittingEmptySubsequences: false).dropLast()
        #expect(read.map { Array($0) } == words.map { Array($0.utf8) })
    }

    @Test func aValueIsNeverReadAsAFlag() {
        #expect(ShellLine.option("--data", "d") == ["--data", "d"])
        #expect(ShellLine.option("--data", "-d") == ["--data=-d"])
        #expect(ShellLine.argument("-run") == "./-run" && ShellLine.argument("run") == "run")
    }
}
