#include "backend/agents/acptoolcalls.h"

#include "backend/agents/acpdecode.h"

#include <QJsonDocument>
#include <algorithm>
#include <iterator>

namespace foundry::backend {

namespace {

bool toolHasEnded(const ToolCall &call)
{
    return call.status == QLatin1StringView("completed") || call.status == QLatin1StringView("failed")
        || call.status == QLatin1StringView("cancelled");
}

std::optional<TextOrBlob> toolJsonText(const QJsonValue &value)
{
    if (value.isNull() || value.isUndefined())
        return std::nullopt;
    if (value.isString())
        return TextOrBlob{acpdecode::capped(value.toString())};
    const QJsonDocument document = value.isArray() ? QJsonDocument(value.toArray()) : QJsonDocument(value.toObject());
    return TextOrBlob{acpdecode::capped(QString::fromUtf8(document.toJson(QJsonDocument::Compact)))};
}

// A text that is one fenced block as a whole is shown as what is inside it: rows show output as it is.
QString toolUnfenced(const QString &text)
{
    const QString trimmed = text.trimmed();
    const qsizetype first = trimmed.indexOf(QLatin1Char('\n'));
    const QLatin1StringView fence("```");
    if (!trimmed.startsWith(fence) || !trimmed.endsWith(QLatin1StringView("\n```")) || first < 0)
        return text;
    const QString inside = trimmed.mid(first + 1, trimmed.size() - first - 4);
    return inside.contains(fence) ? text : inside;
}

QList<ToolContent> toolContent(const QJsonArray &array)
{
    QList<ToolContent> content;
    for (const auto &item : array) {
        const QJsonObject object = item.toObject();
        const QString type = object.value(QLatin1StringView("type")).toString();
        if (type == QLatin1StringView("content")) {
            content.append(ToolText{{toolUnfenced(acpdecode::blockText(object.value(QLatin1StringView("content")).toObject()))}});
        } else if (type == QLatin1StringView("diff")) {
            ToolDiff diff;
            diff.path = object.value(QLatin1StringView("path")).toString();
            const QJsonValue old = object.value(QLatin1StringView("oldText"));
            if (old.isString())
                diff.oldText = TextOrBlob{acpdecode::capped(old.toString())};
            diff.newText = TextOrBlob{acpdecode::capped(object.value(QLatin1StringView("newText")).toString())};
            content.append(diff);
        }
        // `terminal` names a terminal of the client, and this client offers none: measured agents name their own, whose
        // output comes in `_meta`.
    }
    return content;
}

// The end of an edit often comes as a mere text (measured: opencode, claude when refused). What was to be changed stays.
QList<ToolContent> toolReplaced(const QList<ToolContent> &before, QList<ToolContent> after)
{
    const auto isDiff = [](const ToolContent &content) { return std::holds_alternative<ToolDiff>(content); };
    if (!std::any_of(after.cbegin(), after.cend(), isDiff)) {
        QList<ToolContent> kept;
        std::copy_if(before.cbegin(), before.cend(), std::back_inserter(kept), isDiff);
        after = kept + after;
    }
    return after;
}

constexpr qsizetype toolMostLocations = 200;
constexpr qsizetype toolPathLimit = 4096;

QList<ToolLocation> toolLocations(const QJsonArray &array)
{
    QList<ToolLocation> locations;
    for (const auto &item : array) {
        const QJsonObject object = item.toObject();
        const QJsonValue line = object.value(QLatin1StringView("line"));
        if (locations.size() == toolMostLocations)
            break;
        locations.append({object.value(QLatin1StringView("path")).toString(),
            line.isDouble() ? std::optional<qint64>(line.toInteger()) : std::nullopt});
        locations.last().path.truncate(toolPathLimit);
    }
    return locations;
}

constexpr qint64 toolRowsBytes = 16 * 1024 * 1024;

qint64 toolBytes(const ToolCall &call)
{
    qint64 bytes = 256 + call.title.size();
    for (const ToolContent &content : call.content) {
        if (const auto *text = std::get_if<ToolText>(&content))
            bytes += text->text.text.size();
        else if (const auto *diff = std::get_if<ToolDiff>(&content))
            bytes += diff->newText.text.size() + (diff->oldText ? diff->oldText->text.size() : 0);
    }
    return bytes + (call.rawInput ? call.rawInput->text.size() : 0) + (call.rawOutput ? call.rawOutput->text.size() : 0);
}

QString toolTerminalData(const QJsonObject &meta)
{
    QString data;
    for (const auto key : {QLatin1StringView("terminal_output"), QLatin1StringView("terminal_output_delta")})
        data += meta.value(key).toObject().value(QLatin1StringView("data")).toString();
    return data;
}

} // namespace

std::optional<ToolCallUpsert> AcpToolCalls::merge(const QJsonObject &fields, Millis now)
{
    const QString callId = fields.value(QLatin1StringView("toolCallId")).toString();
    if (callId.isEmpty())
        return std::nullopt;
    if (m_gone.contains(callId))
        return std::nullopt;
    const bool isNew = !m_rows.contains(callId);
    Row &row = m_rows[callId];
    const ToolCall before = row.call;
    ToolCall &call = row.call;
    if (isNew) {
        call.callId = callId;
        call.kind = QStringLiteral("other");
        call.status = QStringLiteral("pending");
        call.startedAt = now;
    }
    // Absent or null means unchanged.
    const auto text = [&fields](const char *key, QString &target) {
        const QJsonValue value = fields.value(QLatin1StringView(key));
        if (value.isString())
            target = value.toString();
    };
    text("title", call.title);
    call.title = acpdecode::oneLine(call.title); // codex sends whole commands
    if (!m_root.isEmpty() && call.title.startsWith(m_root + QLatin1Char('/')) && !call.title.contains(QLatin1Char(' ')))
        call.title = call.title.mid(m_root.size() + 1);
    text("kind", call.kind);
    text("status", call.status);
    // The protocol has no word for it: an agent says "failed" of what it ended because it was told to.
    if (m_stopped && call.status == QLatin1StringView("failed") && !toolHasEnded(before))
        call.status = QStringLiteral("cancelled");
    if (const QJsonValue value = fields.value(QLatin1StringView("content")); value.isArray())
        call.content = toolReplaced(call.content, toolContent(value.toArray()));
    if (const QJsonValue value = fields.value(QLatin1StringView("locations")); value.isArray())
        call.locations = toolLocations(value.toArray());
    if (const auto input = toolJsonText(fields.value(QLatin1StringView("rawInput"))))
        call.rawInput = input;
    if (const auto output = toolJsonText(fields.value(QLatin1StringView("rawOutput"))))
        call.rawOutput = output;
    const QString terminal = toolTerminalData(fields.value(QLatin1StringView("_meta")).toObject());
    if (!terminal.isEmpty() && row.terminalOutput.size() < acpdecode::maxTextBytes)
        row.terminalOutput += terminal;
    if (!row.terminalOutput.isEmpty()) {
        // Its own last text: replaced when it grows, added again when the agent replaced the content.
        const ToolContent shown = ToolText{{acpdecode::capped(row.terminalOutput)}};
        const auto *last = call.content.isEmpty() ? nullptr : std::get_if<ToolText>(&call.content.last());
        if (last && !last->text.text.isEmpty() && row.terminalOutput.startsWith(last->text.text))
            call.content.last() = shown;
        else
            call.content.append(shown);
    }
    if (toolHasEnded(call) && !call.endedAt)
        call.endedAt = now;
    if (!isNew && call == before)
        return std::nullopt;
    const bool ends = toolHasEnded(call) && (isNew || !toolHasEnded(before));
    const ToolCallUpsert upsert{call, isNew};
    if (ends)
        m_ended.append(callId);
    account(callId, toolBytes(upsert.call) + row.terminalOutput.size() - (isNew ? 0 : toolBytes(before)));
    return upsert;
}

void AcpToolCalls::account(const QString &callId, qint64 more)
{
    m_bytes += more;
    while (m_bytes > toolRowsBytes && !m_ended.isEmpty()) {
        const QString oldest = m_ended.takeFirst();
        const Row gone = m_rows.take(oldest);
        m_bytes -= toolBytes(gone.call) + gone.terminalOutput.size();
        m_gone.insert(oldest);
    }
    if (m_bytes <= toolRowsBytes)
        return;
    // All of them are open: this one goes on without what it showed.
    const auto row = m_rows.find(callId);
    if (row == m_rows.end())
        return;
    const qint64 had = toolBytes(row->call);
    row->call.content.clear();
    row->call.rawInput.reset();
    row->call.rawOutput.reset();
    row->terminalOutput.clear();
    m_bytes -= had - toolBytes(row->call);
}

void AcpToolCalls::clear()
{
    m_rows.clear();
    m_ended.clear();
    m_gone.clear();
    m_bytes = 0;
    m_stopped = false;
}

ToolCall AcpToolCalls::row(const QString &callId) const
{
    const auto found = m_rows.constFind(callId);
    if (found != m_rows.constEnd())
        return found->call;
    ToolCall unknown;
    unknown.callId = callId;
    return unknown;
}

bool AcpToolCalls::anyRunning() const
{
    for (const Row &row : m_rows) {
        if (row.call.status == QLatin1StringView("in_progress"))
            return true;
    }
    return false;
}

QList<ToolCallUpsert> AcpToolCalls::closeOpen(Millis now)
{
    QList<ToolCallUpsert> closed;
    for (Row &row : m_rows) {
        if (toolHasEnded(row.call))
            continue;
        row.call.status = m_stopped ? QStringLiteral("cancelled") : QStringLiteral("failed");
        row.call.endedAt = now;
        closed.append({row.call, false});
    }
    return closed;
}

} // namespace foundry::backend
