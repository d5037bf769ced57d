// Rows of the host: what an action costs while the world hangs, how soon an agent speaks, how much an update weighs.
#include "realtime/protocol/codec.h"
#include "tests/bench/hostrig.h"
#include "tests/bench/report.h"

#include <QDateTime>
#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>

namespace foundry::bench {

namespace {

CreateTask newTask(const HostRig &rig, const QString &prompt)
{
    CreateTask create;
    create.requestId = makeId<RequestId>();
    create.taskId = makeId<TaskId>();
    create.sessionId = makeId<SessionId>();
    create.repoId = rig.repo();
    create.prompt = Prompt{prompt, {}};
    create.agent = AgentId(QStringLiteral("runner"));
    return create;
}

Result<double> timed(wire::WireClient &client, const QString &action, const QByteArray &args)
{
    QElapsedTimer clock;
    clock.start();
    const auto answer = client.call(action, args);
    const double ms = double(clock.nsecsElapsed()) / 1e6;
    if (!answer && answer.error().group == QLatin1StringView("client"))
        return answer.error(); // an answer that is an error of the host is an answer
    return ms;
}

// git and npm hang, an agent is asked for that never answers; each action of the main job is called again and again.
Result<Measurement> hungWorld(const Options &options)
{
    HostRig rig;
    if (const auto ready = rig.start(); !ready)
        return ready.error();
    if (const auto added = rig.addRepository(); !added)
        return added.error();
    rig.host().stop();
    const auto hanging = rig.hangingPrograms({QStringLiteral("git"), QStringLiteral("npm"), QStringLiteral("node")});
    if (!hanging)
        return hanging.error();
    if (const auto ready = rig.start(*hanging); !ready)
        return ready.error();
    auto organization = rig.organization();
    if (!organization)
        return organization.error();
    QList<double> p99;
    QString worst;
    double worstMs = 0;
    for (int run = 0; run < options.runs(); ++run) {
        QList<double> all;
        const auto note = [&](wire::WireClient &client, const QString &action, const QByteArray &args) -> Result<> {
            const auto ms = timed(client, action, args);
            if (!ms)
                return ms.error();
            all.append(*ms);
            if (*ms > worstMs) {
                worstMs = *ms;
                worst = action;
            }
            return Unit{};
        };
        const int rounds = options.isShort ? 5 : 20;
        for (int round = 0; round < rounds; ++round) {
            const CreateTask create = newTask(rig, QStringLiteral("Hello"));
            if (const auto done = note(**organization, QStringLiteral("createTask"), protocol::encodeArgs(create)); !done)
                return done.error();
            auto task = rig.task(create.taskId);
            if (!task)
                return task.error();
            CreateSession session;
            session.requestId = makeId<RequestId>();
            session.sessionId = makeId<SessionId>();
            SendMessage message;
            message.requestId = makeId<RequestId>();
            message.queueId = makeId<QueueId>();
            message.sessionId = session.sessionId;
            message.prompt.text = QStringLiteral("More");
            RenameTask rename;
            rename.requestId = makeId<RequestId>();
            rename.title = QStringLiteral("Another title");
            CancelTurn cancel;
            cancel.requestId = makeId<RequestId>();
            cancel.sessionId = create.sessionId;
            RefreshChanges refresh;
            refresh.requestId = makeId<RequestId>();
            GetTranscript transcript;
            transcript.sessionId = create.sessionId;
            ChangesSince since;
            since.topic = QStringLiteral("task");
            CloseSession close;
            close.requestId = makeId<RequestId>();
            close.sessionId = session.sessionId;
            CancelProvisioning stop;
            stop.requestId = makeId<RequestId>();
            const QList<std::pair<QString, QByteArray>> actions{{QStringLiteral("createSession"), protocol::encodeArgs(session)},
                {QStringLiteral("sendMessage"), protocol::encodeArgs(message)}, {QStringLiteral("renameTask"), protocol::encodeArgs(rename)},
                {QStringLiteral("refreshChanges"), protocol::encodeArgs(refresh)}, {QStringLiteral("getTranscript"), protocol::encodeArgs(transcript)},
                {QStringLiteral("changesSince"), protocol::encodeArgs(since)}, {QStringLiteral("cancelTurn"), protocol::encodeArgs(cancel)},
                {QStringLiteral("closeSession"), protocol::encodeArgs(close)}, {QStringLiteral("cancelProvisioning"), protocol::encodeArgs(stop)}};
            for (const auto &[action, args] : actions) {
                if (const auto done = note(**task, action, args); !done)
                    return done.error();
            }
        }
        p99.append(percentile(all, 0.99));
    }
    return Measurement{p99, {}, QStringLiteral("p99 of each run; git, npm and node on PATH sleep; slowest: %1, %2 ms").arg(worst).arg(worstMs, 0, 'f', 1)};
}

Result<Measurement> createTaskAmongMany(const Options &options)
{
    QList<double> few;
    QList<double> many;
    for (const int count : {10, 10000}) {
        HostRig rig;
        if (const auto prepared = rig.prepare(count); !prepared)
            return prepared.error();
        const auto hanging = rig.hangingPrograms({QStringLiteral("git")}); // so that work trees do not compete
        if (!hanging)
            return hanging.error();
        if (const auto ready = rig.start(*hanging); !ready)
            return ready.error();
        auto organization = rig.organization();
        if (!organization)
            return organization.error();
        for (int run = 0; run < options.runs(); ++run) {
            QList<double> all;
            for (int n = 0; n < 40; ++n) {
                const auto ms = timed(**organization, QStringLiteral("createTask"), protocol::encodeArgs(newTask(rig, QStringLiteral("Hello"))));
                if (!ms)
                    return ms.error();
                all.append(*ms);
            }
            (count == 10 ? few : many).append(percentile(all, 0.99));
        }
    }
    return Measurement{many, median(few), QStringLiteral("p99 of 40 calls in each run; floor: the same with 10 tasks")};
}

// The agent's own time: started, initialized, asked, until its first chunk, without a host.
Result<double> agentAlone(const QString &folder, const QString &prompt)
{
    QProcess agent;
    agent.setWorkingDirectory(folder);
    QElapsedTimer clock;
    clock.start();
    agent.start(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-runner"), QStringList());
    const auto send = [&agent](int id, const QString &method, const QJsonObject &params) {
        agent.write(QJsonDocument(QJsonObject{{QStringLiteral("jsonrpc"), QStringLiteral("2.0")}, {QStringLiteral("id"), id},
                        {QStringLiteral("method"), method}, {QStringLiteral("params"), params}}).toJson(QJsonDocument::Compact) + '\n');
    };
    const auto next = [&agent]() -> QJsonObject {
        while (!agent.canReadLine()) {
            if (!agent.waitForReadyRead(5000))
                return {};
        }
        return QJsonDocument::fromJson(agent.readLine()).object();
    };
    const auto answerOf = [&](int id) {
        for (;;) {
            const QJsonObject message = next();
            if (message.isEmpty() || (message.value(QLatin1StringView("id")).toInt(-1) == id && !message.contains(QLatin1StringView("method"))))
                return message.value(QLatin1StringView("result")).toObject();
        }
    };
    send(1, QStringLiteral("initialize"), {{QStringLiteral("protocolVersion"), 1}, {QStringLiteral("clientCapabilities"), QJsonObject()}});
    answerOf(1);
    send(2, QStringLiteral("session/new"), {{QStringLiteral("cwd"), folder}, {QStringLiteral("mcpServers"), QJsonArray()}});
    const QJsonValue session = answerOf(2).value(QLatin1StringView("sessionId"));
    send(3, QStringLiteral("session/prompt"), {{QStringLiteral("sessionId"), session},
        {QStringLiteral("prompt"), QJsonArray{QJsonObject{{QStringLiteral("type"), QStringLiteral("text")}, {QStringLiteral("text"), prompt}}}}});
    double ms = -1;
    while (ms < 0) {
        const QJsonObject message = next();
        if (message.isEmpty())
            break;
        const QString kind = message.value(QLatin1StringView("params")).toObject().value(QLatin1StringView("update")).toObject()
                                 .value(QLatin1StringView("sessionUpdate")).toString();
        if (kind == QLatin1StringView("agent_message_chunk"))
            ms = double(clock.nsecsElapsed()) / 1e6;
    }
    agent.closeWriteChannel();
    if (!agent.waitForFinished(3000))
        agent.kill();
    agent.waitForFinished(1000);
    if (ms < 0)
        return makeError(QLatin1StringView("internal"), QLatin1StringView("bench"), QStringLiteral("The runner said nothing."));
    return ms;
}

struct FirstChunk {
    QList<double> total; // createTask → the agent's first chunk stands in the transcript
    QList<double> alone; // git worktree add + the agent, without us
};

Result<FirstChunk> firstChunk(const Options &options)
{
    HostRig rig;
    if (const auto ready = rig.start(); !ready)
        return ready.error();
    if (const auto added = rig.addRepository(); !added)
        return added.error();
    auto organization = rig.organization();
    if (!organization)
        return organization.error();
    FirstChunk out;
    const QString prompt = QStringLiteral("What can you do?");
    for (int run = 0; run < options.runs() + 1; ++run) {
        const CreateTask create = newTask(rig, prompt);
        const qint64 before = QDateTime::currentMSecsSinceEpoch();
        if (const auto answer = (*organization)->call(QStringLiteral("createTask"), protocol::encodeArgs(create)); !answer)
            return answer.error();
        auto task = rig.task(create.taskId);
        if (!task)
            return task.error();
        GetTranscript read;
        read.sessionId = create.sessionId;
        std::optional<Millis> spoke;
        const bool came = (*task)->wait(
            [&] {
                const auto answer = (*task)->call(QStringLiteral("getTranscript"), protocol::encodeArgs(read));
                const auto page = answer ? protocol::decodeValue<TranscriptPage>(*answer) : Result<TranscriptPage>(answer.error());
                for (const TranscriptEntry &entry : page ? page->entries : QList<TranscriptEntry>()) {
                    if (entry.kind == EntryKind::AgentMessage)
                        spoke = entry.at;
                }
                return spoke.has_value();
            },
            15000);
        if (!came)
            return makeError(QLatin1StringView("internal"), QLatin1StringView("bench"), QStringLiteral("The agent did not speak within 15 s."));
        const QString tree = rig.repositoryPath() + QStringLiteral("/../alone%1").arg(run);
        QElapsedTimer clock;
        clock.start();
        if (const auto made = HostRig::run(QStringLiteral("git"), {QStringLiteral("worktree"), QStringLiteral("add"), QStringLiteral("-b"), QStringLiteral("alone%1").arg(run), tree}, rig.repositoryPath()); !made)
            return made.error();
        const double git = double(clock.nsecsElapsed()) / 1e6;
        const auto agent = agentAlone(tree, prompt);
        if (!agent)
            return agent.error();
        if (run > 0) { // the first warms what a first run warms
            out.total.append(double(*spoke - before));
            out.alone.append(git + *agent);
        }
    }
    return out;
}

Result<Measurement> taskToFirstChunk(const Options &options)
{
    const auto taken = firstChunk(options);
    if (!taken)
        return taken.error();
    return Measurement{taken->total, median(taken->alone), QStringLiteral("built-in runner, 20 files; floor: git worktree add and the agent's own start, without us")};
}

Result<Measurement> provisioningOverhead(const Options &options)
{
    const auto taken = firstChunk(options);
    if (!taken)
        return taken.error();
    QList<double> over;
    for (qsizetype i = 0; i < taken->total.size(); ++i)
        over.append(qMax(0.0, taken->total[i] - taken->alone[i]));
    return Measurement{over, {}, QStringLiteral("P1 less git worktree add and the agent's own time, taken alone in the same run")};
}

Result<Measurement> bytesPerUpdate(const Options &options)
{
    QList<double> sizes;
    QList<double> few;
    for (const int count : {10, 10000}) {
        HostRig rig;
        if (const auto prepared = rig.prepare(count); !prepared)
            return prepared.error();
        if (const auto ready = rig.start(); !ready)
            return ready.error();
        auto organization = rig.organization();
        if (!organization)
            return organization.error();
        const CreateTask create = newTask(rig, QStringLiteral("What can you do?"));
        if (const auto answer = (*organization)->call(QStringLiteral("createTask"), protocol::encodeArgs(create)); !answer)
            return answer.error();
        (*organization)->wait([] { return false; }, 1500); // the first turn is over
        auto task = rig.task(create.taskId);
        if (!task)
            return task.error();
        (*organization)->subscribe(QStringLiteral("organization"));
        for (int run = 0; run < options.runs(); ++run) {
            (*organization)->events.clear();
            RenameTask rename;
            rename.requestId = makeId<RequestId>();
            rename.title = QStringLiteral("Title number %1").arg(run);
            if (const auto answer = (*task)->call(QStringLiteral("renameTask"), protocol::encodeArgs(rename)); !answer)
                return answer.error();
            if (!(*organization)->wait([&] { return !(*organization)->events.isEmpty(); }, 5000))
                return makeError(QLatin1StringView("internal"), QLatin1StringView("bench"), QStringLiteral("No update came."));
            (count == 10 ? few : sizes).append(double((*organization)->events.first().bytes));
        }
    }
    return Measurement{sizes, median(few), QStringLiteral("a renamed task among 10,000; floor: among 10")};
}

} // namespace

QList<Row> hostRows()
{
    return {
        Row{QStringLiteral("H1"), QStringLiteral("actions, p99, with everything external hung"), QStringLiteral("ms"), 100, false, hungWorld},
        Row{QStringLiteral("H1b"), QStringLiteral("createTask, p99, with 10,000 tasks"), QStringLiteral("ms"), 15, false, createTaskAmongMany},
        Row{QStringLiteral("P1"), QStringLiteral("createTask → agent's first chunk"), QStringLiteral("ms"), 400, false, taskToFirstChunk},
        Row{QStringLiteral("P2"), QStringLiteral("provisioning above git and the agent's own time"), QStringLiteral("ms"), 100, false, provisioningOverhead},
        Row{QStringLiteral("U3"), QStringLiteral("bytes on the wire per update"), QStringLiteral("B"), 1536, false, bytesPerUpdate},
    };
}

} // namespace foundry::bench
