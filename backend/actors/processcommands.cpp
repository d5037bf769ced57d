// The actions over processes: what is checked and recorded before anything is started, written or ended.
#include "backend/actors/processdesk.h"
#include "backend/processes/processplace.h"
#include "backend/store/database.h"
#include "realtime/protocol/codec.h"

#include <QDir>
#include <QFileInfo>
#include <QRandomGenerator>

namespace foundry::backend {

namespace {

constexpr qsizetype processcommandsInput = 32 * 1024;
constexpr qint64 processcommandsPage = 256 * 1024;
constexpr qint64 processcommandsSide = 1000; // columns or rows of a terminal

Error processcommandsInvalid(const QString &message, const QString &field, const QString &action = {})
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), message, action, field);
}

Error processcommandsConflict(const QString &message, const QString &action = {})
{
    return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), message, action);
}

bool processcommandsIsSize(qint64 side)
{
    return side >= 1 && side <= processcommandsSide;
}

// The folder as it is written, and as it is now; the start looks again.
Result<> processcommandsCheckFolder(const QString &root, const QString &folder)
{
    const QString clean = QDir::cleanPath(folder);
    const bool leaves = QDir::isAbsolutePath(folder) || clean == QLatin1StringView("..") || clean.startsWith(QLatin1StringView("../"))
        || folder.contains(QChar::Null);
    const QString real = leaves ? QString() : QFileInfo(root + QLatin1Char('/') + folder).canonicalFilePath();
    const QString realRoot = QFileInfo(root).canonicalFilePath();
    if (leaves || (!real.isEmpty() && real != realRoot && !real.startsWith(realRoot + QLatin1Char('/')))) {
        return processcommandsInvalid(QStringLiteral("“%1” leads out of the task's work tree.").arg(folder), QStringLiteral("cwd"),
            QStringLiteral("Give a folder inside the work tree."));
    }
    return Unit{};
}

template <class Command>
CommandHandler processCommand(std::function<Result<QByteArray>(Transaction &, const Command &)> body)
{
    return [body](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto command = protocol::decodeArgs<Command>(args);
        if (!command)
            return command.error();
        return body(tx, *command);
    };
}

} // namespace

void ProcessDesk::registerActions(ActionTable &table, std::function<Result<QString>()> root)
{
    if (root) {
        table.command(QStringLiteral("createProcess"), processCommand<CreateProcess>([this, root](Transaction &tx, const CreateProcess &command) -> Result<QByteArray> {
            auto place = root();
            if (!place)
                return place.error();
            ProcessLaunch launch;
            launch.id = command.processId;
            launch.command = command.command;
            launch.args = command.args;
            launch.cwd = command.cwd;
            launch.tty = command.tty;
            launch.columns = command.cols.value_or(80);
            launch.rows = command.rows.value_or(24);
            launch.root = *place;
            auto process = create(tx, launch);
            return process ? Result<QByteArray>(protocol::encodeValue(*process)) : Result<QByteArray>(process.error());
        }));
    }
    table.command(QStringLiteral("writeInput"), processCommand<WriteInput>([this](Transaction &tx, const WriteInput &command) { return writeInput(tx, command); }));
    table.command(QStringLiteral("resizeTerminal"), processCommand<ResizeTerminal>([this](Transaction &tx, const ResizeTerminal &command) { return resize(tx, command); }));
    table.command(QStringLiteral("stopProcess"), processCommand<StopProcess>([this](Transaction &tx, const StopProcess &command) { return end(tx, command.processId, false); }));
    table.command(QStringLiteral("killProcess"), processCommand<KillProcess>([this](Transaction &tx, const KillProcess &command) { return end(tx, command.processId, true); }));
    table.command(QStringLiteral("deleteProcess"), processCommand<DeleteProcess>([this](Transaction &tx, const DeleteProcess &command) { return remove(tx, command.processId); }));
    table.read(QStringLiteral("getProcessLogs"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<GetProcessLogs>(args);
        return asked ? readLog(*asked) : Result<QByteArray>(asked.error());
    });
}

Result<foundry::Process> ProcessDesk::create(Transaction &tx, const ProcessLaunch &launch)
{
    if (launch.id.isEmpty() || launch.id.value.size() > 100)
        return processcommandsInvalid(QStringLiteral("A process needs an id of at most 100 characters."), QStringLiteral("processId"));
    if (launch.command.trimmed().isEmpty() || launch.command.contains(QChar::Null))
        return processcommandsInvalid(QStringLiteral("A process needs a command: the program alone, its arguments beside it."), QStringLiteral("command"));
    for (const QString &arg : launch.args) {
        if (arg.contains(QChar::Null))
            return processcommandsInvalid(QStringLiteral("An argument cannot hold the character 0."), QStringLiteral("args"));
    }
    if (!processcommandsIsSize(launch.columns) || !processcommandsIsSize(launch.rows))
        return processcommandsInvalid(QStringLiteral("A terminal has 1 to %1 columns and rows.").arg(processcommandsSide), QStringLiteral("cols"));
    if (launch.cwd) {
        if (auto inside = processcommandsCheckFolder(launch.root, *launch.cwd); !inside)
            return inside.error();
    }
    if (row(launch.id))
        return processcommandsConflict(QStringLiteral("This process exists already."));
    qint64 running = 0;
    qint64 kept = 0;
    {
        auto q = tx.database().query("SELECT count(*), count(*) FILTER (WHERE ended = 0) FROM processes");
        if (q.next()) {
            kept = q.integer(0);
            running = q.integer(1);
        }
    }
    if (running >= m_config.running) {
        return makeError(QLatin1StringView("actor"), QLatin1StringView("overloaded"),
            QStringLiteral("%1 processes run here, and more are not started.").arg(running), QStringLiteral("Stop one that is not needed."));
    }
    if (kept >= m_config.kept) {
        return makeError(QLatin1StringView("actor"), QLatin1StringView("overloaded"),
            QStringLiteral("%1 processes and their logs are kept here.").arg(kept), QStringLiteral("Delete some that have ended."));
    }
    const QString generation = QLatin1Char('g') + QString::number(QRandomGenerator::system()->generate64() >> 1, 36);
    auto recorded = tx.database().run("INSERT INTO processes(id, identity, generation, sequence, ended) VALUES(?, '', ?, 0, 0)",
        launch.id.value, generation);
    if (!recorded)
        return recorded.error();
    const qint64 serial = tx.database().lastRowId(); // before anything else is written
    foundry::Process process;
    process.id = launch.id;
    process.command = launch.command;
    process.args = launch.args;
    process.cwd = launch.cwd;
    process.tty = launch.tty;
    process.status = QStringLiteral("running");
    tx.put(topic(), process);
    if (m_config.created)
        m_config.created(tx, process);
    tx.setNeedsWake(true);
    tx.afterCommit([this, serial, generation, launch] { begin(serial, generation, launch); });
    return row(launch.id).value_or(process);
}

Result<QByteArray> ProcessDesk::writeInput(Transaction &tx, const WriteInput &command)
{
    auto process = known(command.processId);
    if (!process)
        return process.error();
    if (command.data.size() > processcommandsInput) {
        return processcommandsInvalid(QStringLiteral("At most %1 KiB can be typed at once.").arg(processcommandsInput / 1024),
            QStringLiteral("dataBase64"), QStringLiteral("Send it in pieces."));
    }
    if (!process->tty)
        return processcommandsConflict(QStringLiteral("This process has no terminal, and reads no input."),
            QStringLiteral("Start the command in a terminal."));
    Live *live = running(command.processId);
    if (!live)
        return processcommandsConflict(QStringLiteral("This process has ended."), QStringLiteral("Start it again."));
    if (auto room = live->process->checkRoom(command.data.size()); !room)
        return room.error();
    tx.afterCommit([this, command] {
        Live *to = running(command.processId);
        if (!to || !to->process->write(command.data))
            return; // it ended meanwhile, as its row will say
        to->isTyped = true;
        touchSoon();
    });
    return QByteArrayLiteral("null");
}

Result<QByteArray> ProcessDesk::resize(Transaction &tx, const ResizeTerminal &command)
{
    auto process = known(command.processId);
    if (!process)
        return process.error();
    if (!processcommandsIsSize(command.cols) || !processcommandsIsSize(command.rows))
        return processcommandsInvalid(QStringLiteral("A terminal has 1 to %1 columns and rows.").arg(processcommandsSide), QStringLiteral("cols"));
    if (!process->tty)
        return processcommandsConflict(QStringLiteral("This process has no terminal."));
    // One that has ended keeps its last picture: nothing to do, and no error while a window is being resized.
    tx.afterCommit([this, command] {
        if (Live *live = running(command.processId))
            live->process->resize(int(command.cols), int(command.rows));
    });
    return QByteArrayLiteral("null");
}

Result<QByteArray> ProcessDesk::end(Transaction &tx, const ProcessId &id, bool atOnce)
{
    auto process = known(id);
    if (!process)
        return process.error();
    tx.afterCommit([this, id, atOnce] {
        const auto live = m_live.find(id.value);
        if (live == m_live.end() || !live->second.process)
            return;
        if (atOnce)
            live->second.process->kill();
        else
            live->second.process->stop();
    });
    return protocol::encodeValue(*process);
}

Result<QByteArray> ProcessDesk::remove(Transaction &tx, const ProcessId &id)
{
    auto process = known(id);
    if (!process)
        return process.error();
    qint64 serial = 0;
    bool isGone = false;
    {
        auto q = tx.database().query("SELECT serial, ended FROM processes WHERE id = ?", id.value);
        if (q.next()) {
            serial = q.integer(0);
            isGone = q.integer(1) == 2;
        }
    }
    if (!isGone) {
        return processcommandsConflict(process->status == QLatin1StringView("exited")
                ? QStringLiteral("Something that this process started is still being ended.")
                : QStringLiteral("This process still runs."),
            QStringLiteral("Stop or kill it first."));
    }
    tx.database().run("DELETE FROM processes WHERE serial = ?", serial);
    tx.remove(topic(), QStringLiteral("Process"), id.value);
    tx.afterCommit([this, id, serial] {
        m_context.noteRevision(terminalTopic(id), {});
        ProcessLog::remove(logDirectory(serial));
    });
    return protocol::encodeValue(*process);
}

Result<QByteArray> ProcessDesk::readLog(const GetProcessLogs &asked)
{
    if (auto process = known(asked.processId); !process)
        return process.error();
    ProcessLogPage page;
    qint64 serial = 0;
    {
        auto q = m_context.database().query("SELECT serial, generation, sequence FROM processes WHERE id = ?", asked.processId.value);
        if (q.next()) {
            serial = q.integer(0);
            page.generation = q.text(1);
            page.seq = q.integer(2);
        }
    }
    const auto live = m_live.find(asked.processId.value);
    std::optional<ProcessLog> stored;
    if (live == m_live.end())
        stored.emplace(logDirectory(serial), m_config.logBytes);
    const ProcessLog &log = stored ? *stored : *live->second.log;
    page.start = log.start();
    page.end = log.end();
    if (live != m_live.end()) {
        // Up to where events have told it: the next event goes on exactly there.
        page.end = qMax(page.start, live->second.feed->said());
        page.seq = live->second.feed->sequence();
    }
    const qint64 limit = qBound<qint64>(0, asked.limit, processcommandsPage);
    qint64 from = 0;
    qint64 to = page.end;
    if (asked.after) {
        from = qBound(page.start, *asked.after, page.end);
        to = qMin(page.end, from + limit);
    } else {
        to = qBound(page.start, asked.before.value_or(page.end), page.end);
        from = qMax(page.start, to - limit);
    }
    auto bytes = log.read(from, to - from);
    if (!bytes)
        return bytes.error();
    page.offset = from;
    page.data = *bytes;
    return protocol::encodeValue(page);
}

} // namespace foundry::backend
