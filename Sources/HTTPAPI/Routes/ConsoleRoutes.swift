// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore

/// The first page: sites with their states and the warnings in force, kept current by the feed.
struct ConsoleRoutes: Sendable {
    func add(to router: Router<APIRequestContext>) {
        router.get("/") { _, _ in
            Response(
                status: .ok,
                headers: [
                    .contentType: "text/html; charset=utf-8",
                    .contentSecurityPolicy: "default-src 'self' 'unsafe-inline'",
                ], body: ResponseBody(byteBuffer: ByteBuffer(string: Self.page)))
        }
    }

    private static let page = """
        <!doctype html>
        <html lang="zh-CN">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>鄱阳 poyang</title>
        <style>
        body { font: 16px/1.5 sans-serif; margin: 1rem auto; max-width: 60rem; padding: 0 1rem; }
        table { border-collapse: collapse; width: 100%; }
        th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; }
        .state { border-radius: .3rem; padding: .1rem .5rem; background: #eee; color: #222; }
        .normal { background: #d8f0d8; } .blue { background: #2b6cff; color: #fff; }
        .yellow { background: #ffd83b; } .orange { background: #ff8c1a; } .red { background: #d81e1e; color: #fff; }
        .unknown { background: #666; color: #fff; }
        </style>
        <h1>鄱阳 poyang</h1>
        <p id="service" role="status">…</p>
        <h2>预警 Warnings</h2><ul id="warnings"></ul>
        <h2>站点 Sites</h2>
        <table><thead><tr><th>站点<th>状态<th>数值<th>最近读数</tr></thead><tbody id="sites"></tbody></table>
        <script>
        const states = { normal: "正常", notice: "提示", blue: "蓝色", yellow: "黄色", orange: "橙色", red: "红色",
          unknown: "未知", not_instrumented: "无设备" };
        const cell = (row, text) => { row.insertCell().textContent = text ?? ""; };
        async function show() {
          try {
            const status = await (await fetch("/api/status")).json();
            const active = await (await fetch("/alerts/active")).json();
            document.getElementById("service").textContent =
              (status.service.exercise ? "演练模式 · " : "") + status.time + (status.service.subscribed ? "" : " · 未连接 MQTT");
            const list = document.getElementById("warnings");
            list.replaceChildren(...active.features.map(f => Object.assign(document.createElement("li"),
              { textContent: f.properties.headline })));
            if (!active.features.length) list.textContent = "无";
            const body = document.getElementById("sites");
            body.replaceChildren();
            for (const site of status.sites) {
              const row = body.insertRow();
              cell(row, site.name_zh);
              const state = document.createElement("span");
              state.className = "state " + site.state;
              state.textContent = states[site.state] ?? site.state;
              row.insertCell().append(state);
              cell(row, site.value === undefined ? "" : site.value + " " + (site.unit ?? ""));
              cell(row, site.last_reading_at);
            }
          } catch (error) { document.getElementById("service").textContent = "连接中断 " + error; }
        }
        show();
        const stream = new EventSource("/alerts/stream");
        for (const action of ["issued", "raised", "lowered", "amended", "acknowledged", "ended", "cancelled"])
          stream.addEventListener(action, show);
        setInterval(show, 15000);
        </script>
        </html>
        """
}
