import NIOCore
import NIOHTTP1
import Synchronization

/// One connection to the hub.
final class HubHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let hub: () -> TestHub?
    private var head: HTTPRequestHead?

    init(hub: @escaping () -> TestHub?) { self.hub = hub }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head, let hub = hub() else { return context.close(promise: nil) }
            send(hub.reply(to: head), to: head, hub, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func send(
        _ reply: HubReply,
        to request: HTTPRequestHead,
        _ hub: TestHub,
        _ context: ChannelHandlerContext
    ) {
        if case .silence(.none) = reply.ending { return }
        let head = HTTPResponseHead(
            version: .http1_1,
            status: .init(statusCode: reply.status),
            headers: HTTPHeaders(reply.fields.map { ($0.key, $0.value) })
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        let body = request.method == .HEAD ? [] : reply.body
        let first = reply.cut.map { Array(body.prefix($0)) } ?? body
        let rest = Array(body.dropFirst(first.count))
        write(first, reply.file, hub, context)
        switch reply.ending {
        case .complete: finish(context)
        case .breakOff:
            context.flush()
            close(context, whenArrived: reply.start + first.count, of: reply.file ?? "", hub)
        case .silence: context.flush()
        case .gate:
            context.flush()
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let loop = context.eventLoop
            hub.whenGateOpens {
                loop.execute {
                    let (handler, context) = bound.value
                    handler.write(rest, reply.file, hub, context)
                    handler.finish(context)
                }
            }
        }
    }

    private func write(
        _ bytes: [UInt8],
        _ file: String?,
        _ hub: TestHub,
        _ context: ChannelHandlerContext
    ) {
        guard !bytes.isEmpty else { return }
        if let file { hub.state.withLock { $0.served[file, default: 0] += bytes.count } }
        let buffer = context.channel.allocator.buffer(bytes: bytes)
        context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
    }

    private func close(
        _ context: ChannelHandlerContext,
        whenArrived count: Int,
        of file: String,
        _ hub: TestHub
    ) {
        let channel = context.channel
        let hasArrived = hub.state.withLock { $0.hasArrived }
        context.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(2)) {
            task in
            guard hasArrived(file, count) || !channel.isActive else { return }
            task.cancel()
            channel.close(promise: nil)
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

extension TestHub {
    func whenGateOpens(_ action: @escaping @Sendable () -> Void) {
        let isOpen = state.withLock { state in
            if !state.gateIsOpen { state.gate.append(action) }
            return state.gateIsOpen
        }
        if isOpen { action() }
    }
}
