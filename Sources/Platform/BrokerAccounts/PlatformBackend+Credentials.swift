// poyang
// SPDX-License-Identifier: Apache-2.0

package import CatalogStorage
import DeviceCatalog
package import HTTPAPI
import Telemetry

extension PlatformBackend {
    package func credentials(org: String?) throws -> [CredentialReport] {
        let catalog = self.resolver.catalog
        return try self.records.credentials()
            .filter { $0.role == .device ? catalog.device($0.user, isOf: org) : org == nil }
            .map { CredentialReport($0) }
    }

    package func makeCredentials(
        for ids: [String]?,
        by name: String,
        access: Access
    ) async throws -> [CredentialReport] {
        let accounts = try self.brokerAccounts()
        let who = try self.person(name, note: "", access)
        let devices =
            try ids?.map { try self.device($0, org: access.org) } ?? self.devicesWithoutCredentials(access.org)
        let forMany = try self.records.accountsForMany()
        let others = accounts.usersOfOthers()
        var possible: [Device] = []
        var skipped: [CredentialReport] = []
        for device in devices {
            guard let problem = Self.obstacle(device.id, forMany: forMany, others: others) else {
                possible.append(device)
                continue
            }
            guard ids == nil else { throw problem }
            skipped.append(CredentialReport(skipped: device.id, problem))
        }
        let now = self.now()
        let made = possible.map { device in
            let password = MosquittoPassword.random()
            let hash = MosquittoPassword.hash(password)
            return (row: CredentialRow(user: device.id, hash: hash, createdAt: now, who: who), password: password)
        }
        let toDo = try await self.store(made.map(\.row), accounts)
        try self.records.add(
            made.map { self.fact($0.row, "credentials", "made", who, access) }
        )
        return made.map { CredentialReport($0.row, password: $0.password, toDo: toDo) } + skipped
    }

    /// Why no device can have an account under this id; nil where one can.
    ///
    /// What it gets must not be another's: that one's password, or what that one may.
    private static func obstacle(_ id: String, forMany: Set<String>, others: [String: String]) -> APIProblem? {
        guard BrokerAccounts.isPossibleUser(id) else {
            return .unprocessable(
                "devices: '\(id)' holds a colon, which ends the name in mosquitto's password file; register the "
                    + "device under an id without one",
                zh: "devices：“\(id)”含冒号，不能作为 mosquitto 的用户名；请用不含冒号的编号注册该设备"
            )
        }
        if forMany.contains(id) {
            let problem = DeviceImport.CellProblem.accountForMany(id).message
            return .conflict(problem.en, zh: problem.zh)
        }
        return others[id]
            .map { place in
                APIProblem.conflict(
                    "'\(id)' is the name of another user of the broker (\(place)); register the device under another id",
                    zh: "“\(id)”是代理上另一用户的名称（\(place)）；请用其他编号注册该设备"
                )
            }
    }

    package func makeAccount(
        _ user: String,
        _ role: AccountRole,
        by name: String,
        access: Access
    ) async throws -> CredentialReport {
        let accounts = try self.brokerAccounts()
        let who = try self.person(name, note: "", access)
        guard access.org == nil else {
            throw APIProblem.forbidden(
                "a gateway or network server publishes for the devices of every org; ask whoever keeps the machine",
                zh: "网关和网络服务器可为所有单位的设备发布数据；请联系系统管理员"
            )
        }
        guard Identifier.isValid(user), BrokerAccounts.isPossibleUser(user) else {
            throw APIProblem.unprocessable(
                "user: '\(user.prefix(80))' is no name of an account: letters, digits and . _ - only, at most 64",
                zh: "user：“\(user.prefix(80))”不能作为账号名：只能用字母、数字和 . _ -，最多 64 个字符"
            )
        }
        guard self.resolver.catalog.devices[user] == nil else {
            throw APIProblem.conflict(
                "user: '\(user)' is the name of a device; choose another",
                zh: "user：“\(user)”是设备编号；请换一个名称"
            )
        }
        if let place = accounts.usersOfOthers()[user] {
            throw APIProblem.conflict(
                "user: '\(user)' is the name of another user of the broker (\(place)); choose another",
                zh: "user：“\(user)”是代理上另一用户的名称（\(place)）；请换一个名称"
            )
        }
        let password = MosquittoPassword.random()
        let hash = MosquittoPassword.hash(password)
        let row = CredentialRow(user: user, role: role, hash: hash, createdAt: self.now(), who: who)
        let toDo = try await self.store([row], accounts)
        try self.records.add([self.fact(row, "credentials", "made", who, access)])
        return CredentialReport(row, password: password, toDo: toDo)
    }

    package func revokeCredentials(of id: String, by name: String, access: Access) async throws -> CredentialReport {
        let accounts = try self.brokerAccounts()
        let who = try self.person(name, note: "", access)
        // The account of a gateway is no device; to a token of an org it is not there, also where a device has its name.
        let known = try self.records.credentials()
            .first { $0.user == id && $0.revokedAt == nil && ($0.role == .device || access.org == nil) }
        if known?.role ?? .device == .device { _ = try self.device(id, org: access.org) }
        guard var row = known else {
            throw APIProblem.conflict(
                "device '\(id)' has no valid credentials; `poyang devices credentials \(id)` makes some",
                zh: "设备“\(id)”没有有效的凭据；用 poyang devices credentials \(id) 生成"
            )
        }
        row.revokedAt = self.now()
        row.who = who
        let toDo = try await self.store([row], accounts)
        try self.records.add([self.fact(row, "credentials", "revoked", who, access)])
        return CredentialReport(row, toDo: toDo)
    }

    /// Lets the broker know who may log in now: whose credentials are valid, devices only while they are registered.
    ///
    /// - Returns: What is still to be done by hand.
    func publishCredentials(_ accounts: BrokerAccounts) throws -> String? {
        try accounts.publish(self.records.validCredentials(in: self.resolver.catalog))
    }

    private func store(_ rows: [CredentialRow], _ accounts: BrokerAccounts) async throws -> String? {
        let records = self.records
        let backend = self
        return try await onThread("poyang-accounts") {
            try records.put(rows)
            return try backend.publishCredentials(accounts)
        }
    }

    private func devicesWithoutCredentials(_ org: String?) throws -> [Device] {
        let valid = Set(try self.records.credentials().filter { $0.revokedAt == nil }.map(\.user))
        let catalog = self.resolver.catalog
        return catalog.devices.values
            .filter { device in
                !valid.contains(device.id) && catalog.device(device.id, isOf: org)
            }
            .sorted { $0.id < $1.id }
    }

    private func fact(
        _ row: CredentialRow,
        _ kind: String,
        _ what: String,
        _ who: String,
        _ access: Access
    ) -> DeviceFact {
        DeviceFact(device: row.user, time: self.now(), kind: kind, what: what, who: who, via: access.name)
    }

    private func brokerAccounts() throws -> BrokerAccounts {
        if let accounts { return accounts }
        throw APIProblem.conflict(
            "the service does not keep the broker's accounts; start serve with POYANG_BROKER_ACCOUNTS=FOLDER and "
                + "POYANG_BROKER_PID_FILE, as ops/mosquitto.conf says",
            zh: "服务未管理 MQTT 代理的账号；请按 ops/mosquitto.conf 设置 POYANG_BROKER_ACCOUNTS 与 POYANG_BROKER_PID_FILE 后启动 serve"
        )
    }
}

extension CatalogStore {
    /// Those of devices that are registered, and of gateways and network servers; retiring a device takes its account away.
    func validCredentials(in catalog: Catalog) throws -> [CredentialRow] {
        try self.credentials().filter { $0.revokedAt == nil && ($0.role != .device || catalog.devices[$0.user] != nil) }
    }
}
