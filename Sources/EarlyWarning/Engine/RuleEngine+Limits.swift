// poyang
// SPDX-License-Identifier: Apache-2.0

extension RuleEngine {
    /// Why what a rule says now is too much, where it is: more alerts at all sites together than its group allows.
    ///
    /// Those of other sites stay, so that who came first goes on.
    func exceededLimit(_ unit: RuleUnit) -> String? {
        let limit = unit.rule.rule.limit
        guard limit > 0 else { return nil }
        let others = self.scopes.values.flatMap { $0.units + $0.wallUnits }
            .filter { $0.rule === unit.rule && $0.site != unit.site }
        let count = others.reduce(unit.alerts.count(where: \.isSeen)) { $0 + $1.alerts.count }
        return count > limit ? "exceeded limit of \(limit) with \(count) alerts" : nil
    }
}
