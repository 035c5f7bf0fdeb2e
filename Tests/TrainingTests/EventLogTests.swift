import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("Event files for TensorBoard")
struct EventLogTests {
    @Test("The checksum is Castagnoli's: RFC 3720's examples")
    func checksum() {
        #expect(CRC32C.checksum(Data(repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum(Data(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(Data(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.checksum(Data("123456789".utf8)) == 0xE306_9283)
    }

    /// The bytes that TensorBoard's own `RecordWriter` makes of
    /// `Event(wall_time=1.5, step=300, summary=Summary(value=[Value(tag="a/b", simple_value=0.25)]))`.
    @Test("A record, byte by byte")
    func golden() {
        let message = EventLog.event([("a/b", 0.25)], step: 300, time: 1.5)
        #expect(
            message.hex == "09000000000000f83f" + "10ac02" + "2a0c0a0a" + "0a03612f62"
                + "150000803e"
        )
        #expect(EventLog.record(message).hex == Self.record)
    }

    private static let record =
        "1a00000000000000129bd82d09000000000000f83f10ac022a0c0a0a0a03612f62150000803ef9cde7ed"

    @Test("A resumed run's file reads as if it had never stopped")
    func resumed() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "events.out.tfevents.deit").path
            let kept: Int
            do {
                let log = try EventLog(path: path, keeping: 0, time: 1)
                try log.append([("train/loss", 2)], step: 1, time: 2)
                kept = log.length
                try log.append([("train/loss", .nan)], step: 2, time: 3)
            }
            let whole = try Data(contentsOf: URL(filePath: path))
            let log = try EventLog(path: path, keeping: kept, time: 9)
            try log.append([("train/loss", .nan)], step: 2, time: 3)
            #expect(try Data(contentsOf: URL(filePath: path)) == whole)
            #expect(log.length == whole.count)
        }
    }

    @Test(
        "TensorBoard's own reader finds every number",
        .needsPeers("tensorboard")
    )
    func reader() throws {
        try withTemporaryFolder { folder in
            let path = folder.appending(path: "events.out.tfevents.deit").path
            let log = try EventLog(path: path, keeping: 0, time: 1)
            for step in 1...3 {
                let values = [("train/loss", 1 / Double(step)), ("val/top1", Double(step))]
                try log.append(values, step: 1000 * step, time: Double(step))
            }
            let (status, text) = try Peers.run("check_events.py", [folder.path])
            #expect(status == 0, "\(text)")
            #expect(
                text.split(separator: "\n") == [
                    "train/loss 1000 1.0 1.0", "train/loss 2000 2.0 0.5",
                    "train/loss 3000 3.0 0.33333", "val/top1 1000 1.0 1.0",
                    "val/top1 2000 2.0 2.0", "val/top1 3000 3.0 3.0",
                ]
            )
        }
    }
}

extension Data {
    fileprivate var hex: String { map { String(format: "%02x", $0) }.joined() }
}
