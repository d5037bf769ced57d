#include "backend/actors/processdesk.h"

#include "backend/processes/processplace.h"
#include "backend/store/database.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>
#include <QDir>
#include <QLoggingCategory>
#include <QRandomGenerator>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcProcesses, "foundry.actors.processes")

namespace {

constexpr int processdeskSizesMs = 1000;
constexpr int processdeskTouchMs = 1000;
constexpr int processdeskTouchPauseMs = 5000; // a program that keeps printing is no reason to look all the time
constexpr int processdeskAgainMs = 2000;

// What `ended` of the table says.
enum ProcessRecord { Running = 0, Ended = 1, Gone = 2 };

Millis processdeskNow()
{
    return QDateTime::currentMSecsSinceEpoch();
}

Error processdeskLost()
{
    return makeError(QLatin1StringView("sandbox"), QLatin1StringView("lost"),
        QStringLiteral("The process was lost with the host: the host ended while it ran."),
        QStringLiteral("Start it again. What it printed until then is kept."));
}

} // namespace

ProcessDesk::ProcessDesk(ActorContext &context, ProcessDeskConfig config)
    : m_context(context)
    , m_config(std::move(config))
    , m_reaper(new ProcessReaper(context.owner()))
{
    m_sizes.setSingleShot(true);
    m_sizes.setInterval(processdeskSizesMs);
    m_touch.setSingleShot(true);
    QObject::connect(&m_sizes, &QTimer::timeout, context.owner(), [this] { putSizes(); });
    QObject::connect(&m_touch, &QTimer::timeout, context.owner(), [this] {
        m_sinceTouch.start();
        write([this](Transaction &tx) -> Result<> {
            m_config.touched(tx);
            return Unit{};
        });
    });
}

ProcessDesk::~ProcessDesk() = default;

QString ProcessDesk::schema()
{
    return QStringLiteral("CREATE TABLE processes (serial INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, "
                          "identity TEXT NOT NULL, generation TEXT NOT NULL, sequence INTEGER NOT NULL, ended INTEGER NOT NULL);");
}

bool ProcessDesk::hasUnended(Database &database)
{
    auto q = database.query("SELECT EXISTS(SELECT 1 FROM processes WHERE ended != 2)");
    return q.next() && q.flag(0);
}

Result<> ProcessDesk::write(const std::function<Result<>(Transaction &)> &body)
{
    auto written = m_context.transaction([&](Transaction &tx) -> Result<> {
        if (auto done = body(tx); !done)
            return done;
        if (m_config.settle)
            m_config.settle(tx);
        return Unit{};
    });
    if (!written)
        qCWarning(lcProcesses, "what became of a process could not be written: %ls", qUtf16Printable(written.error().message));
    return written;
}

std::optional<foundry::Process> ProcessDesk::row(const ProcessId &id) const
{
    auto entity = m_context.row(topic(), QStringLiteral("Process"), id.value);
    auto *process = entity ? std::get_if<foundry::Process>(&*entity) : nullptr;
    return process ? std::optional(*process) : std::nullopt;
}

Result<foundry::Process> ProcessDesk::known(const ProcessId &id) const
{
    if (auto process = row(id))
        return *process;
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("There is no such process."), {},
        QStringLiteral("processId"));
}

ProcessDesk::Live *ProcessDesk::running(const ProcessId &id)
{
    const auto live = m_live.find(id.value);
    return live == m_live.end() || live->second.hasEnded || !live->second.process ? nullptr : &live->second;
}

// By a number of ours: ids are made by clients, and no part of a path.
QString ProcessDesk::logDirectory(qint64 serial) const
{
    return m_context.contentDirectory() + QStringLiteral("/processes/") + QString::number(serial);
}

void ProcessDesk::started()
{
    struct Orphan {
        qint64 serial;
        ProcessId id;
        ProcessIdentity identity;
        bool hadEnded;
    };
    QList<Orphan> orphans;
    {
        auto q = m_context.database().query("SELECT serial, id, identity, generation, sequence, ended FROM processes");
        while (q.next()) {
            m_context.noteRevision(terminalTopic(ProcessId(q.text(1))), TopicRevision{q.text(3), q.integer(4)});
            if (q.integer(5) != Gone)
                orphans.append({q.integer(0), ProcessId(q.text(1)), ProcessIdentity::fromText(q.text(2)), q.integer(5) == Ended});
        }
    }
    m_orphans = int(orphans.size());
    for (const Orphan &orphan : std::as_const(orphans)) {
        m_reaper->reap(orphan.identity, [this, orphan](const Result<ReapOutcome> &outcome) {
            --m_orphans;
            lost(orphan.serial, orphan.id, orphan.hadEnded, outcome);
        });
    }
    removeStrayLogs();
}

void ProcessDesk::lost(qint64 serial, const ProcessId &id, bool hadEnded, const Result<ReapOutcome> &outcome)
{
    // Events of the last moments are not counted on disk: a new generation tells clients to begin anew.
    const QString generation = QLatin1Char('g') + QString::number(QRandomGenerator::system()->generate64() >> 1, 36);
    const ProcessLog log(logDirectory(serial), m_config.logBytes);
    auto written = write([&](Transaction &tx) -> Result<> {
        auto process = row(id);
        if (process && !outcome) {
            process->error = makeError(QLatin1StringView("sandbox"), QLatin1StringView("stuck"),
                QStringLiteral("The process was lost with the host, and what is left of it cannot be ended."),
                QStringLiteral("End it yourself, or restart the machine."), outcome.error().message);
            tx.put(topic(), *process);
            return Unit{}; // on record still: the next start tries again
        }
        if (process && !hadEnded) {
            process->status = QStringLiteral("exited");
            process->exitedAt = processdeskNow();
            process->logBytes = log.end();
            process->logStart = log.start();
            process->error = processdeskLost();
            tx.put(topic(), *process);
            if (m_config.touched)
                m_config.touched(tx);
            tx.database().run("UPDATE processes SET generation = ?, sequence = 0 WHERE serial = ?", generation, serial);
        }
        return tx.database().run("UPDATE processes SET ended = ?, identity = '' WHERE serial = ?", qint64(Gone), serial);
    });
    if (written && !hadEnded && outcome)
        m_context.noteRevision(terminalTopic(id), TopicRevision{generation, 0});
    if (m_live.empty() && m_orphans == 0) {
        for (const auto &then : std::exchange(m_whenEmpty, {}))
            then();
    }
}

// A kill between the removal of a row and that of its log. An actor that never had a process gets no folder for this.
void ProcessDesk::removeStrayLogs()
{
    {
        auto q = m_context.database().query("SELECT EXISTS(SELECT 1 FROM sqlite_sequence WHERE name = 'processes')");
        if (!q.next() || !q.flag(0))
            return;
    }
    QDir folder(m_context.contentDirectory() + QStringLiteral("/processes"));
    const QStringList names = folder.entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    for (const QString &name : names) {
        bool isNumber = false;
        const qint64 serial = name.toLongLong(&isNumber);
        auto q = m_context.database().query("SELECT 1 FROM processes WHERE serial = ?", serial);
        if (isNumber && !q.next())
            ProcessLog::remove(folder.filePath(name));
    }
}

void ProcessDesk::begin(qint64 serial, const QString &generation, const ProcessLaunch &launch)
{
    const ProcessId id = launch.id;
    Live &live = m_live[id.value];
    live.serial = serial;
    live.log = std::make_unique<ProcessLog>(logDirectory(serial), m_config.logBytes);
    live.feed = std::make_unique<TerminalFeed>(m_context, terminalTopic(id), generation);
    m_context.noteRevision(terminalTopic(id), TopicRevision{generation, 0});

    auto *process = new UserProcess(m_config.limits, m_context.owner());
    live.process = process;
    UserProcessSpec spec;
    spec.command = launch.command;
    spec.args = launch.args;
    spec.root = launch.root;
    spec.folder = launch.cwd.value_or(QString());
    spec.tty = launch.tty;
    spec.columns = int(launch.columns);
    spec.rows = int(launch.rows);
    spec.environment = userProcessEnvironment(m_config.environment, launch.tty);
    for (auto it = launch.variables.cbegin(); it != launch.variables.cend(); ++it)
        spec.environment.insert(it.key(), it.value());
    const auto identity = process->prepare(spec);
    const auto giveUp = [&](const Error &error) {
        process->deleteLater();
        live.process = nullptr;
        live.isGone = true;
        ended(id, {}, error);
    };
    if (!identity) {
        giveUp(identity.error());
        return;
    }
    auto recorded = write([&](Transaction &tx) -> Result<> {
        if (auto started = row(id)) {
            started->pid = identity->pid;
            started->startedAt = processdeskNow();
            tx.put(topic(), *started);
        }
        return tx.database().run("UPDATE processes SET identity = ? WHERE serial = ?", identity->toText(), serial);
    });
    if (!recorded) { // it has run nothing, and ends unrun
        giveUp(recorded.error());
        return;
    }
    QObject *owner = m_context.owner();
    QObject::connect(process, &UserProcess::output, owner, [this, id](const QByteArray &bytes) { printed(id, bytes); });
    QObject::connect(process, &UserProcess::failed, owner, [this, id](const Error &error) { ended(id, {}, error); });
    QObject::connect(process, &UserProcess::exited, owner, [this, id](const UserProcessExit &exit) { ended(id, exit, std::nullopt); });
    QObject::connect(process, &UserProcess::gone, owner, [this, id] {
        const auto found = m_live.find(id.value);
        if (found == m_live.end())
            return;
        found->second.process->deleteLater();
        found->second.process = nullptr;
        found->second.isGone = true;
        forgetGone(id);
    });
    process->run();
}

void ProcessDesk::printed(const ProcessId &id, const QByteArray &bytes)
{
    const auto found = m_live.find(id.value);
    if (found == m_live.end())
        return;
    Live &live = found->second;
    live.log->append(bytes); // first: who is told of it can read it
    live.feed->append(bytes);
    if (!m_sizes.isActive())
        m_sizes.start();
    if (live.isTyped)
        touchSoon();
}

void ProcessDesk::ended(const ProcessId &id, const UserProcessExit &exit, const std::optional<Error> &error)
{
    const auto found = m_live.find(id.value);
    if (found == m_live.end())
        return;
    found->second.hasEnded = true;
    found->second.exit = exit;
    found->second.error = error;
    found->second.feed->flush();
    recordEnd(id);
}

void ProcessDesk::recordEnd(const ProcessId &id)
{
    const auto found = m_live.find(id.value);
    if (found == m_live.end())
        return;
    Live &live = found->second;
    auto written = write([&](Transaction &tx) -> Result<> {
        if (auto process = row(id)) {
            process->status = QStringLiteral("exited");
            process->exitCode = live.exit.code;
            process->signal = live.exit.signal;
            process->exitedAt = processdeskNow();
            process->logBytes = live.log->end();
            process->logStart = live.log->start();
            process->error = live.error;
            if (live.error)
                process->pid = std::nullopt;
            tx.put(topic(), *process);
        }
        if (m_config.touched)
            m_config.touched(tx);
        return tx.database().run("UPDATE processes SET ended = ?, sequence = ? WHERE serial = ?", qint64(live.isGone ? Gone : Ended),
            live.feed->sequence(), live.serial);
    });
    if (!written) { // a full disk; it is not forgotten, and a next start would call it lost
        QTimer::singleShot(processdeskAgainMs, m_context.owner(), [this, id] { recordEnd(id); });
        return;
    }
    live.isRecorded = true;
    if (m_config.ended)
        m_config.ended(id);
    forgetGone(id);
}

// When its row is final and nothing of it lives any more.
void ProcessDesk::forgetGone(const ProcessId &id)
{
    const auto found = m_live.find(id.value);
    if (found == m_live.end() || !found->second.isGone || !found->second.isRecorded)
        return;
    const qint64 serial = found->second.serial;
    m_live.erase(found);
    write([serial](Transaction &tx) {
        return tx.database().run("UPDATE processes SET ended = ?, identity = '' WHERE serial = ?", qint64(Gone), serial);
    });
    if (m_live.empty() && m_orphans == 0) {
        for (const auto &then : std::exchange(m_whenEmpty, {}))
            then();
    }
}

void ProcessDesk::putSizes()
{
    write([this](Transaction &tx) -> Result<> {
        for (const auto &[id, live] : m_live) {
            auto process = row(ProcessId(id));
            if (!process || live.hasEnded)
                continue;
            process->logBytes = live.log->end();
            process->logStart = live.log->start();
            tx.put(topic(), *process);
        }
        return Unit{};
    });
}

void ProcessDesk::touchSoon()
{
    if (!m_config.touched || m_touch.isActive())
        return;
    const qint64 since = m_sinceTouch.isValid() ? m_sinceTouch.elapsed() : processdeskTouchPauseMs;
    m_touch.start(int(qMax<qint64>(processdeskTouchMs, processdeskTouchPauseMs - since)));
}

void ProcessDesk::endAll(std::function<void()> done)
{
    if (m_live.empty() && m_orphans == 0) {
        done();
        return;
    }
    m_whenEmpty.append(std::move(done));
    for (auto &[id, live] : m_live) {
        if (live.process)
            live.process->stop();
    }
}

void ProcessDesk::stopping(StopReason reason)
{
    m_sizes.stop();
    m_touch.stop();
    for (auto &[id, live] : m_live) {
        delete std::exchange(live.process, nullptr); // kills it
        live.feed->flush();
    }
    const bool isWritable = reason != StopReason::Lost && !m_live.empty();
    if (isWritable) {
        write([this](Transaction &tx) -> Result<> {
            for (const auto &[id, live] : m_live) {
                auto process = row(ProcessId(id));
                if (process && !live.isRecorded) {
                    process->status = QStringLiteral("exited");
                    process->exitedAt = processdeskNow();
                    process->logBytes = live.log->end();
                    process->logStart = live.log->start();
                    process->error = makeError(QLatin1StringView("sandbox"), QLatin1StringView("stopped_with_host"),
                        QStringLiteral("The process was ended because the host stopped."),
                        QStringLiteral("Start it again. What it printed until then is kept."));
                    tx.put(topic(), *process);
                }
                tx.database().run("UPDATE processes SET ended = ?, identity = '', sequence = ? WHERE serial = ?", qint64(Gone),
                    live.feed->sequence(), live.serial);
            }
            return Unit{};
        });
    }
    m_live.clear();
}

} // namespace foundry::backend
