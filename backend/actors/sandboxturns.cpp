// Prompts to the agents of a sandbox, and what they say.
#include "backend/actors/sandboxactor.h"
#include "backend/workflows/crashpoint.h"
#include "backend/store/database.h"

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QLoggingCategory>
#include <QUrl>

namespace foundry::backend {

Q_DECLARE_LOGGING_CATEGORY(lcSandbox)

namespace {

constexpr qint64 sandboxUsageEveryMs = 2000;
constexpr qint64 sandboxPromptLimit = 256 * 1024;
constexpr qint64 sandboxAttachmentLimit = 20ll * 1024 * 1024;

template <class... Ts>
struct SandboxOverloaded : Ts... {
    using Ts::operator()...;
};
template <class... Ts>
SandboxOverloaded(Ts...) -> SandboxOverloaded<Ts...>;

} // namespace

Result<> SandboxActor::prompt(Transaction &tx, const DeliverPrompt &deliver)
{
    {
        auto q = tx.database().query("SELECT 1 FROM delivered_turns WHERE turn = ?", deliver.turn);
        if (q.next())
            return Unit{}; // never twice
    }
    const auto live = m_live.find(deliver.session.value);
    AcpClient *client = live == m_live.end() ? nullptr : clientOf(live->second.agent);
    if (!client || !client->isReady()) {
        TurnReport refused;
        refused.turn = deliver.turn;
        refused.session = deliver.session;
        const auto refuse = [this, refused](Transaction &in) {
            in.send(task(), QStringLiteral("turnRefused"), encodeTurnReport(refused));
            return Result<>(Unit{});
        };
        // The task hears first that the agents of the earlier run are gone, so that it starts them before it asks again.
        if (m_orphans == 0)
            return refuse(tx);
        tx.afterCommit([this, refuse] { m_afterOrphans.append([this, refuse] { write(refuse); }); });
        return Unit{};
    }
    // The intent is on record before the agent hears a word.
    tx.afterCommit([this, message = deliver] { this->deliver(message); });
    return tx.database().run("INSERT INTO delivered_turns (turn, session, ended, at) VALUES (?, ?, 0, ?)", deliver.turn,
        deliver.session.value, QDateTime::currentMSecsSinceEpoch());
}

void SandboxActor::deliver(const DeliverPrompt &deliver)
{
    const auto live = m_live.find(deliver.session.value);
    AcpClient *client = live == m_live.end() ? nullptr : clientOf(live->second.agent);
    if (!client) {
        turnEnded(deliver.session, deliver.turn,
            makeError(QLatin1StringView("agent"), QLatin1StringView("crashed"),
                QStringLiteral("The agent ended before it got the prompt."), QStringLiteral("Send the prompt again.")));
        return;
    }
    live->second.turn = deliver.turn;
    live->second.updates = 0;
    live->second.usage = {};
    crashBefore(QStringLiteral("effect prompt"));
    client->prompt(live->second.acp.sessionId, blocksOf(deliver, client->info()),
        [this, session = deliver.session, turn = deliver.turn](const Result<AcpTurn> &result) { turnEnded(session, turn, result); });
    crashAfter(QStringLiteral("effect prompt"));
}

QList<AcpBlock> SandboxActor::blocksOf(const DeliverPrompt &deliver, const AcpAgentInfo &info)
{
    QList<AcpBlock> blocks;
    const BlobStore blobs = m_blobs.ofTask(m_creation->task);
    QString text = deliver.prompt.text;
    if (deliver.prompt.blobId) {
        if (auto bytes = blobs.readAll(*deliver.prompt.blobId, sandboxPromptLimit))
            text = QString::fromUtf8(*bytes);
    }
    if (!text.isEmpty())
        blocks.append(AcpBlock::fromText(text));
    for (const Attachment &attachment : deliver.attachments) {
        auto bytes = blobs.readAll(attachment.blobId, sandboxAttachmentLimit);
        if (!bytes)
            continue;
        AcpBlock block;
        block.mime = attachment.mime;
        block.name = attachment.name;
        if (info.takesImages && attachment.mime.startsWith(QLatin1StringView("image/"))) {
            block.kind = AcpBlock::Kind::Image;
            block.data = *bytes;
        } else {
            // Beside the work tree, never in it: it is no change of the task.
            const QString folder = context().contentDirectory() + QStringLiteral("/attachments/") + deliver.turn;
            QDir().mkpath(folder);
            QFile file(folder + QLatin1Char('/') + QString(attachment.name).replace(QLatin1Char('/'), QLatin1Char('_')));
            if (!file.open(QIODevice::WriteOnly) || file.write(*bytes) != bytes->size())
                continue;
            block.kind = AcpBlock::Kind::ResourceLink;
            block.uri = QUrl::fromLocalFile(file.fileName()).toString();
        }
        blocks.append(block);
    }
    return blocks;
}

void SandboxActor::turnEnded(const SessionId &session, const QString &turn, const Result<AcpTurn> &result)
{
    TurnReport report;
    report.turn = turn;
    report.session = session;
    const auto live = m_live.find(session.value);
    crashAfter(QStringLiteral("effect turn"));
    Usage usage;
    if (live != m_live.end() && live->second.turn == turn) {
        report.updates = live->second.updates;
        usage = live->second.usage;
        live->second.turn.clear();
    }
    if (result) {
        report.stopReason = result->stopReason.isEmpty() ? QStringLiteral("end_turn") : result->stopReason;
        if (result->usage)
            usage = mergedUsage(usage, *result->usage);
    } else {
        report.stopReason = QStringLiteral("error");
        report.error = result.error();
    }
    if (!(usage == Usage{}))
        report.usage = usage;
    write([&](Transaction &tx) -> Result<> {
        tx.send(task(), QStringLiteral("turnEnded"), encodeTurnReport(report));
        return tx.database().run("UPDATE delivered_turns SET ended = 1 WHERE turn = ?", turn);
    });
}

void SandboxActor::updated(const AgentId &agent, const QString &acpSession, const AcpUpdate &update)
{
    if (m_loading.contains(acpSession))
        return;
    const SessionId session = sessionOf(agent, acpSession);
    const auto live = m_live.find(session.value);
    if (live == m_live.end())
        return;
    LiveSession &state = live->second;
    const auto say = [&](TranscriptEntry entry) { this->say(session, std::move(entry)); };
    const auto change = [&](SessionChanged changed) {
        changed.session = session;
        write([&](Transaction &tx) -> Result<> {
            tx.send(task(), QStringLiteral("sessionChanged"), encodeSessionChanged(changed));
            return Unit{};
        });
    };
    const auto text = [&](EntryKind kind, const QString &words) {
        TranscriptEntry entry;
        entry.kind = kind;
        entry.text = words;
        say(entry);
    };
    std::visit(SandboxOverloaded{
                   [](const UnknownUpdate &) {},
                   [](const UserChunk &) {},
                   [&](const AgentChunk &chunk) { text(EntryKind::AgentMessage, chunk.text); },
                   [&](const ThoughtChunk &chunk) { text(EntryKind::AgentThought, chunk.text); },
                   [&](const AgentNotice &notice) { text(EntryKind::Notice, notice.text); },
                   [&](const ToolCallUpsert &upsert) {
                       TranscriptEntry entry;
                       entry.kind = EntryKind::ToolCall;
                       entry.tool = upsert.call;
                       say(entry);
                   },
                   [&](const PlanUpdate &plan) {
                       TranscriptEntry entry;
                       entry.kind = EntryKind::Plan;
                       entry.plan = plan.entries;
                       say(entry);
                   },
                   [&](const CommandsUpdate &commands) {
                       if (state.commands == commands.commands)
                           return;
                       state.commands = commands.commands;
                       SessionChanged changed;
                       changed.commands = commands.commands;
                       change(changed);
                   },
                   [&](const ModeUpdate &mode) {
                       state.acp.currentMode = mode.modeId;
                       describe(session);
                   },
                   [&](const ConfigOptions &options) {
                       state.acp.options = options.options;
                       describe(session);
                   },
                   [&](const UsageUpdate &usage) {
                       state.usage = mergedUsage(state.usage, usage.usage);
                       // The end of the turn says it in any case.
                       if (!state.turn.isEmpty() && state.usageSaid.isValid() && state.usageSaid.elapsed() < sandboxUsageEveryMs)
                           return;
                       state.usageSaid.start();
                       SessionChanged changed;
                       changed.usage = state.usage;
                       change(changed);
                   },
                   [&](const TitleUpdate &title) {
                       SessionChanged changed;
                       changed.title = title.title;
                       change(changed);
                   },
               },
        update);
}

// More than the task writes down waits in the agent's own pipe: its agent is not read meanwhile.
void SandboxActor::say(const SessionId &session, TranscriptEntry entry)
{
    const auto live = m_live.find(session.value);
    if (live == m_live.end())
        return;
    AgentUpdate said{session, live->second.turn, ++live->second.updates, std::move(entry), m_flow.at()};
    QByteArray json = encodeAgentUpdate(said);
    m_flow.sent(json.size());
    context().stream(task(), QStringLiteral("update"), json);
    if (!m_flow.mustPause())
        return;
    if (AcpClient *client = clientOf(live->second.agent))
        client->setPaused(true);
    if (!m_flowTimer->isActive())
        m_flowTimer->start();
}

void SandboxActor::streamed(const ActorAddress &from, const QString &name, const QByteArray &json)
{
    Q_UNUSED(from);
    if (name != QLatin1StringView("flowReached"))
        return;
    if (auto mark = decodeStreamMark(json))
        m_flow.confirmed(*mark);
    if (m_flowTimer->isActive() && m_flow.mayResume())
        resumeAgents();
}

void SandboxActor::resumeAgents()
{
    m_flowTimer->stop();
    for (auto &[agent, process] : m_processes) {
        if (process.client)
            process.client->setPaused(false);
    }
}

void SandboxActor::permissionAsked(const AgentId &agent, const QString &acpSession, const AcpPermission &permission)
{
    const SessionId session = sessionOf(agent, acpSession);
    const auto live = m_live.find(session.value);
    if (live == m_live.end()) {
        if (AcpClient *client = clientOf(agent))
            client->dismissPermission(permission.ask.requestId);
        return;
    }
    write([&](Transaction &tx) -> Result<> {
        tx.send(task(), QStringLiteral("permissionAsked"),
            encodePermissionAsked({session, live->second.turn, permission.ask, permission.call}));
        return Unit{};
    });
}

void SandboxActor::answerPermission(const PermissionAnswer &answer)
{
    const auto live = m_live.find(answer.session.value);
    AcpClient *client = live == m_live.end() ? nullptr : clientOf(live->second.agent);
    if (!client)
        return; // the agent has gone, and the question with it
    const Result<> done = answer.optionId.isEmpty() ? client->dismissPermission(answer.permission)
                                                    : client->answerPermission(answer.permission, answer.optionId);
    if (!done) // withdrawn meanwhile: the end of the turn says the rest
        qCInfo(lcSandbox, "an answer came too late: %ls", qUtf16Printable(done.error().message));
}

void SandboxActor::questionAsked(const AgentId &agent, const QString &acpSession, const QuestionAsk &ask)
{
    const SessionId session = sessionOf(agent, acpSession);
    const auto live = m_live.find(session.value);
    if (live == m_live.end()) {
        if (AcpClient *client = clientOf(agent))
            client->answerQuestion(ask.requestId, QStringLiteral("cancel"));
        return;
    }
    write([&](Transaction &tx) -> Result<> {
        tx.send(task(), QStringLiteral("questionAsked"), encodeQuestionAsked({session, live->second.turn, ask}));
        return Unit{};
    });
}

void SandboxActor::answerQuestion(const QuestionAnswer &answer)
{
    const auto live = m_live.find(answer.session.value);
    AcpClient *client = live == m_live.end() ? nullptr : clientOf(live->second.agent);
    if (!client)
        return;
    if (auto done = client->answerQuestion(answer.question, answer.action, answer.values); !done)
        qCInfo(lcSandbox, "an answer came too late: %ls", qUtf16Printable(done.error().message));
}

} // namespace foundry::backend
