import ArgumentParser
import Checkpoints
import Foundation
import Hub
import Storage

/// `deit pull`: a model from the hub into the cache that Python's hub client uses too.
struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Download a model from the Hub into the cache.",
        discussion: """
            Examples:
              deit pull facebook/deit-tiny-patch16-224
              deit pull vit_small_patch14_dinov2.lvd142m     # timm/vit_small_patch14_…
              deit pull timm/deit3_small_patch16_224.fb_in1k --revision main
              deit pull ORG/NAME --include '*.pth' --include '*.json'

            Prints the directory of the downloaded files, which every command accepts as a \
            checkpoint; so does the model ID itself. The cache is shared with Python's Hub \
            client. An interrupted download resumes.

            HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE have the same \
            meaning as in Python. Every file is verified against the Hub's checksum.
            """
    )

    @Argument(
        help: "Model ID on the Hub, or timm's name of weights, as `deit models` lists them."
    )
    var name: String

    @Option(help: "Branch, tag or commit.")
    var revision = "main"

    @Option(
        help:
            "Download only files matching this pattern, instead of what a model needs; repeatable."
    )
    var include: [String] = []

    @Option(help: "Skip files matching this pattern; repeatable.")
    var exclude: [String] = []

    @Option(
        help:
            "Access token, instead of HF_TOKEN; other users of this machine can see the command line."
    )
    var token: String?

    @Flag(help: "Print a JSON object.")
    var json = false

    func run() async throws {
        let repository = try HubRepository(ModelName.hubID(name) ?? name)
        var settings = try HubConfiguration()
        if let token { settings.token = try HubToken(token, from: "--token") }
        let client = HubClient(configuration: settings)
        let progress = PullProgress()
        let files = HubFileSelection(include: include, exclude: exclude)
        let revision = revision
        let task = Task {
            try await client.pull(
                repository,
                revision: revision,
                files: files,
                progress: progress.show
            )
        }
        let interruption = Interruption { task.cancel() }
        do {
            let snapshot = try await task.value
            progress.clear()
            try report(snapshot)
        } catch HubError.cancelled {
            progress.clear()
            throw CommandFailure(
                "stopped; the same command continues the download",
                exitCode: interruption.exitCode
            )
        } catch {
            progress.clear()
            throw ModelName.explained(error, name)
        }
    }

    private func report(_ snapshot: HubSnapshot) throws {
        guard json else {
            for file in snapshot.unverified {
                StatusLine.note("the Hub has no checksum of \(file); only its size was checked")
            }
            if snapshot.fetched.isEmpty {
                StatusLine.note("commit \(snapshot.commit.prefix(12)) was already in the cache")
            }
            return try Results.print(snapshot.folder)
        }
        let value: JSONValue = [
            "name": .string(name),
            "revision": .string(revision),
            "commit": .string(snapshot.commit),
            "folder": .string(snapshot.folder),
            "fetched": .array(snapshot.fetched.map(JSONValue.string)),
            "unverified": .array(snapshot.unverified.map(JSONValue.string)),
        ]
        try Results.print(value.text())
    }
}
