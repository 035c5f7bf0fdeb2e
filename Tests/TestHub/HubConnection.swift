import Foundation
import Synchronization

/// One connection to the hub: requests and replies, one after the other, on a thread of its own.
struct HubConnection {
    let socket: HubSocket
    let hub: TestHub

    /// Replies until an end that either side wants.
    func run() {
        while let head = receive(), reply(to: head) {}
    }

    /// The next request; those that a client of the hub sends have no body.
    private func receive() -> HubRequestHead? {
        var text: [UInt8] = []
        while !text.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let bytes = socket.read() else { return nil }
            text += bytes
        }
        return HubRequestHead(String(decoding: text, as: UTF8.self))
    }

    /// Whether another request may follow.
    private func reply(to request: HubRequestHead) -> Bool {
        let reply = hub.reply(to: request)
        if case .silence(.none) = reply.ending { return wait { false } }
        if case .raw(let bytes) = reply.ending {
            _ = socket.write(bytes)
            return false
        }
        let body = request.isHead ? [] : reply.body
        let isChunked = reply.fields["Content-Length"] == nil && !request.isHead
        var head = "HTTP/1.1 \(reply.status) Status\r\n"
        for (name, value) in reply.fields { head += "\(name): \(value)\r\n" }
        if isChunked { head += "Transfer-Encoding: chunked\r\n" }
        guard socket.write(Array("\(head)\r\n".utf8)) else { return false }
        let first = reply.cut.map { Array(body.prefix($0)) } ?? body
        let rest = Array(body.dropFirst(first.count))
        guard send(first, of: reply, isChunked) else { return false }
        switch reply.ending {
        case .complete, .raw: break
        case .breakOff:
            let hasArrived = hub.state.withLock { $0.hasArrived }
            _ = wait { hasArrived(reply.file ?? "", reply.start + first.count) }
            return false
        case .silence: return wait { false }
        case .gate:
            guard wait(until: { hub.state.withLock { $0.gateIsOpen } }),
                send(rest, of: reply, isChunked)
            else { return false }
        }
        return isChunked ? socket.write(Array("0\r\n\r\n".utf8)) : true
    }

    private func send(_ bytes: [UInt8], of reply: HubReply, _ isChunked: Bool) -> Bool {
        guard !bytes.isEmpty else { return true }
        if let file = reply.file {
            hub.state.withLock { $0.served[file, default: 0] += bytes.count }
        }
        guard isChunked else { return socket.write(bytes) }
        let size = String(bytes.count, radix: 16)
        return socket.write(Array("\(size)\r\n".utf8) + bytes + Array("\r\n".utf8))
    }

    /// Waits for something; false when the connection ended before.
    private func wait(until isTrue: () -> Bool) -> Bool {
        while socket.isOpen {
            if isTrue() { return true }
            Thread.sleep(forTimeInterval: 0.002)
        }
        return false
    }
}

/// A request line and the fields after it.
struct HubRequestHead {
    let isHead: Bool
    let uri: String
    private let fields: [String: String]

    init?(_ text: String) {
        let lines = text.split(whereSeparator: \.isNewline)
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        isHead = words[0] == "HEAD"
        uri = String(words[1])
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields[line[..<colon].lowercased()] = String(value)
        }
        self.fields = fields
    }

    /// The value of the field with a name.
    subscript(name: String) -> String? { fields[name.lowercased()] }
}
