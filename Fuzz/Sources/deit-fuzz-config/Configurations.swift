import VisionModels

@testable import Checkpoints
@testable import Storage

extension MemorySource {
    /// JSON, and what a model's folder and an index of weights may say in it.
    func readConfiguration() {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue.parse(bytes) } catch { return }
        let again: JSONValue
        do throws(JSONError) {
            again = try JSONValue.parse(Array(value.text().utf8))
        } catch { preconditionFailure("JSON that was written cannot be read: \(error)") }
        precondition(again == value, "JSON changes when it is written")
        guard let object = value.objectValue else { return }
        let fields = JSONFields(object: object, file: path)
        attempt { () throws(CheckpointError) in
            let decoded = try HuggingFaceConfiguration.decode(fields)
            try? decoded.configuration.validate()
        }
        attempt { () throws(CheckpointError) in
            let timm = try TimmConfiguration.decode(fields)
            try? timm.configuration.validate()
        }
        for channels in [1, 3] {
            attempt { () throws(CheckpointError) in
                _ = try HuggingFaceProcessor.decode(fields, channels: channels)
            }
            attempt { () throws(CheckpointError) in
                _ = try TimmProcessor.decode(fields, channels: channels)
            }
        }
        do throws(StorageError) {
            let index = try ShardIndex(object, file: path)
            for name in index.names { precondition(index.file(of: name) != nil) }
        } catch { precondition(!error.description.isEmpty) }
    }
}

/// Calls a reader of configurations and forgets its error, whose sentence must exist.
private func attempt(_ body: () throws(CheckpointError) -> Void) {
    do { try body() } catch { precondition(!error.description.isEmpty) }
}
