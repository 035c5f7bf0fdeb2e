#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A call to the system that failed.
public struct SocketError: Error, CustomStringConvertible {
    let call: String
    let code = errno

    /// The call and the system's words.
    public var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// A TCP socket on loopback.
///
/// Every call blocks; `end` lets those of other threads return.
struct HubSocket: Sendable {
    let descriptor: Int32

    /// A socket that listens on a port which the system chooses.
    static func listening() throws -> (socket: HubSocket, port: Int) {
        #if canImport(Darwin)
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        guard descriptor >= 0 else { throw SocketError(call: "socket") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                [bind(descriptor, address, size), getsockname(descriptor, address, &size)]
            }
        }
        guard status == [0, 0], listen(descriptor, 128) == 0 else {
            throw SocketError(call: "bind or listen")
        }
        return (HubSocket(descriptor: descriptor), Int(UInt16(bigEndian: address.sin_port)))
    }

    /// The next connection within a time, if one comes.
    func accepted(within milliseconds: Int32) -> HubSocket? {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Self.poll(&poll, 1, milliseconds) > 0 else { return nil }
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0 else { return nil }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        return HubSocket(descriptor: connection)
    }

    /// Whether the other end is still there, as far as this one knows.
    ///
    /// What it sends meanwhile stays unread.
    var isOpen: Bool {
        var byte: UInt8 = 0
        let flags = Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)
        let count = recv(descriptor, &byte, 1, flags)
        return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))
    }

    /// The next bytes, or nil at the end.
    func read() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }

    /// Sends all bytes; false when the connection is gone.
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            #if canImport(Darwin)
            let flags: Int32 = 0
            #else
            let flags = Int32(MSG_NOSIGNAL)
            #endif
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, flags) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Ends the connection, or the listening, for all threads that use it.
    func end() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

    func close() { _ = Self.close(descriptor) }

    #if canImport(Glibc)
    private static let close = Glibc.close
    private static let poll = Glibc.poll
    #elseif canImport(Musl)
    private static let close = Musl.close
    private static let poll = Musl.poll
    #else
    private static let close = Darwin.close
    private static let poll = Darwin.poll
    #endif
}
