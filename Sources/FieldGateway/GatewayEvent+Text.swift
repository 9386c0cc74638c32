// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension GatewayEvent {
    /// One sentence, in Chinese or in English.
    package func text(inChinese isChinese: Bool) -> String {
        isChinese ? self.chinese : self.english
    }

    private var english: String {
        switch self {
        case .listening(let host, let port): "listening on \(host):\(port)"
        case .stationsKnown(let count): "\(count) devices with an address of SL 651 are registered"
        case .stationsUnknown(let reason):
            "nobody says which device has which address, so nothing is taken nor confirmed: \(reason)"
        case .opened(let peer): "connection from \(peer)"
        case .closed(let peer, let reason): "connection from \(peer) closed (\(reason.rawValue)): \(reason.english)"
        case .stationHeard(let device, let address, let peer): "\(device) (\(address)) speaks from \(peer)"
        case .unknownStation(let address):
            "no device has the address \(address); what it sends goes into quarantine under that name. Register it: "
                + "poyang devices register … --address \(address)"
        case .damaged(let peer, let reason): "damaged frame from \(peer), not confirmed: \(reason)"
        case .packetMissing(let device, let packet, let total):
            "\(device): packet \(packet) of \(total) asked for again"
        case .givenUp(let device, let missing, let total):
            "\(device): packet \(missing) of \(total) did not come; the others go into quarantine, unconfirmed"
        case .brokerAway(let reason): "the broker is away, nothing is confirmed: \(reason)"
        case .brokerBack: "the broker is back"
        case .deferred: "too much waits for the broker: messages are left with their stations"
        case .refused(let device, let reason): "\(device): the broker refused a message, not confirmed: \(reason)"
        case .gap(let device, let symbol, let from, let to):
            "\(device): \(symbol) is missing between \(from.rfc3339()) and \(to.rfc3339())"
        case .asked(let device, let symbol, let hours):
            "\(device): asked for \(symbol) from \(hours.lowerBound.rfc3339()) to \(hours.upperBound.rfc3339())"
        case .filled(let device, let symbol, let values): "\(device): \(values) values of \(symbol) came in answer"
        case .gapGivenUp(let device, let symbol): "\(device): does not answer about \(symbol); no longer asked"
        case .clockOff(let device, let drift):
            "\(device): its clock is \(seconds(drift)) s \(drift > 0 ? "behind" : "ahead"); it is set"
        case .clockSet(let device): "\(device): its clock has been set"
        case .clockSilent(let device): "\(device): did not answer to the setting of its clock"
        case .stateUnsaved(let reason): "what is known of gaps was not saved: \(reason)"
        case .stopped(let metrics): "stopped; \(metrics.summary)"
        }
    }

    private var chinese: String {
        switch self {
        case .listening(let host, let port): "正在监听 \(host):\(port)"
        case .stationsKnown(let count): "已登记带 SL 651 地址的设备 \(count) 台"
        case .stationsUnknown(let reason): "无法得知地址与设备的对应关系，暂不接收也不确认：\(reason)"
        case .opened(let peer): "来自 \(peer) 的连接"
        case .closed(let peer, let reason): "已关闭来自 \(peer) 的连接（\(reason.rawValue)）：\(reason.chinese)"
        case .stationHeard(let device, let address, let peer): "\(device)（\(address)）从 \(peer) 接入"
        case .unknownStation(let address):
            "没有设备登记地址 \(address)，其数据以该地址名进入隔离区；请登记：poyang devices register … --address \(address)"
        case .damaged(let peer, let reason): "来自 \(peer) 的报文损坏，不予确认：\(reason)"
        case .packetMissing(let device, let packet, let total): "\(device)：请求重发第 \(packet)/\(total) 包"
        case .givenUp(let device, let missing, let total):
            "\(device)：第 \(missing)/\(total) 包始终未到，其余包进入隔离区，不予确认"
        case .brokerAway(let reason): "消息代理不可用，暂不确认任何报文：\(reason)"
        case .brokerBack: "消息代理已恢复"
        case .deferred: "等待消息代理的报文过多，新报文留在测站"
        case .refused(let device, let reason): "\(device)：消息代理拒收报文，不予确认：\(reason)"
        case .gap(let device, let symbol, let from, let to):
            "\(device)：\(symbol) 缺测，\(from.rfc3339()) 至 \(to.rfc3339())"
        case .asked(let device, let symbol, let hours):
            "\(device)：查询 \(symbol) 时段数据，\(hours.lowerBound.rfc3339()) 至 \(hours.upperBound.rfc3339())"
        case .filled(let device, let symbol, let values): "\(device)：补到 \(symbol) \(values) 个数据"
        case .gapGivenUp(let device, let symbol): "\(device)：多次查询 \(symbol) 无应答，不再查询"
        case .clockOff(let device, let drift):
            "\(device)：时钟\(drift > 0 ? "慢" : "快") \(seconds(drift)) 秒，正在校时"
        case .clockSet(let device): "\(device)：校时完成"
        case .clockSilent(let device): "\(device)：对校时无应答"
        case .stateUnsaved(let reason): "缺测记录未能保存：\(reason)"
        case .stopped(let metrics): "已停止；\(metrics.summary)"
        }
    }

    private func seconds(_ drift: Milliseconds) -> Milliseconds { abs(drift) / .second }
}

extension CloseReason {
    fileprivate var english: String {
        switch self {
        case .garbage: "what it sends is no SL 651"
        case .damaged: "one damaged frame after the other"
        case .slow: "a frame was begun and did not come whole in time"
        case .idle: "no frame for too long"
        case .oversized: "a message longer than any may be"
        case .tooMany: "as many connections as are allowed are open"
        case .unread: "it does not read what is sent to it"
        case .stopping: "the gateway stops"
        }
    }

    fileprivate var chinese: String {
        switch self {
        case .garbage: "内容不是 SL 651 报文"
        case .damaged: "连续收到损坏的报文"
        case .slow: "报文未在规定时间内收完"
        case .idle: "长时间没有报文"
        case .oversized: "报文超长"
        case .tooMany: "连接数已达上限"
        case .unread: "对方不接收下行数据"
        case .stopping: "网关正在停止"
        }
    }
}

extension GatewayMetrics {
    /// The counts that are not zero: `frames=12 forwarded=12 closed.slow=1`.
    package var summary: String { self.counts.map { "\($0.name)=\($0.count)" }.joined(separator: " ") }

    /// All counts by name; those that are zero are left out.
    package var counts: [(name: String, count: Int)] {
        var counts = [
            ("connections", self.connections), ("frames", self.frames), ("damaged", self.damaged),
            ("forwarded", self.forwarded), ("repeated", self.repeated), ("deferred", self.deferred),
            ("refused", self.refused), ("confirmed", self.confirmed), ("asked_again", self.askedAgain),
            ("asked", self.asked), ("answered", self.answered), ("clocks_set", self.clocksSet),
            ("skipped_bytes", self.skippedBytes),
        ]
        counts += CloseReason.allCases.map { ("closed.\($0.rawValue)", self.closed[$0] ?? 0) }
        return counts.filter { $0.1 > 0 }.map { (name: $0.0, count: $0.1) }
    }
}
