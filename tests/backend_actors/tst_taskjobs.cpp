// Jobs of a task in a real actor: rows, joining, cancel and its refusal, deadlines, going on after a stop, forgetting.
#include "backend/actors/actorruntime.h"
#include "backend/actors/taskjobs.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

#include <mutex>

using namespace foundry;
using namespace foundry::backend;

namespace {

// What happened, and how steps shall behave: shared with the actor.
struct Script {
    std::mutex mutex;
    QStringList said;
    int version = 1;
    qint64 deadlineMs = 0;
    bool finishAtOnce = false;
    bool refuseCancel = false;

    void say(const QString &what)
    {
        const std::lock_guard lock(mutex);
        said.append(what);
    }
    QStringList take()
    {
        const std::lock_guard lock(mutex);
        return std::exchange(said, {});
    }
};

class JobActor : public Actor {
public:
    JobActor(ActorContext &context, std::shared_ptr<Script> script)
        : Actor(context)
        , m_script(script)
        , m_jobs(context, [this](Transaction &tx) { settle(tx); })
    {
        JobKind kind;
        kind.kind = QStringLiteral("tidy");
        kind.version = script->version;
        kind.steps = {{QStringLiteral("one"), script->deadlineMs}, {QStringLiteral("two"), 0}};
        kind.begin = [this](Transaction &tx, const JobStep &step) {
            m_script->say(QStringLiteral("begin %1 %2%3").arg(step.step, QString::fromUtf8(step.input), step.resumed ? QStringLiteral(" resumed") : QString()));
            m_last = step;
            if (m_script->finishAtOnce)
                m_jobs.finish(tx, step, QByteArray("{}"));
        };
        kind.abandon = [this](Transaction &, const JobStep &step) { m_script->say(QStringLiteral("abandon ") + step.step); };
        kind.completed = [this](Transaction &, Job &job) {
            m_script->say(QStringLiteral("completed"));
            job.message = QStringLiteral("Tidied");
        };
        kind.failed = [this](Transaction &, Job &job) { m_script->say(QStringLiteral("failed ") + job.error->code); };
        kind.cancelled = [this](Transaction &, Job &) { m_script->say(QStringLiteral("cancelled")); };
        kind.refusesCancel = [this](const JobStep &) -> std::optional<Error> {
            if (!m_script->refuseCancel)
                return std::nullopt;
            return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("Too late."));
        };
        m_jobs.add(kind);
    }
    QStringList migrations() const override { return {WorkflowRunner::schema(), WorkflowRunner::schema2(), WorkflowRunner::schema3()}; }
    void started() override
    {
        auto done = context().transaction([this](Transaction &tx) -> Result<> {
            m_jobs.resume(tx);
            settle(tx);
            return Unit{};
        });
        Q_UNUSED(done);
    }
    void alarm() override
    {
        auto done = context().transaction([this](Transaction &tx) -> Result<> {
            m_jobs.checkDeadlines(tx, QDateTime::currentMSecsSinceEpoch());
            settle(tx);
            return Unit{};
        });
        Q_UNUSED(done);
    }
    void registerActions(ActionTable &table) override
    {
        const auto argument = [](QByteArrayView args) { return QJsonDocument::fromJson(args.toByteArray()).array().first().toObject(); };
        table.command(QStringLiteral("tidy"), [this, argument](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
            const QJsonObject ask = argument(args);
            auto job = m_jobs.start(tx, QStringLiteral("tidy"), ask.value(QLatin1StringView("target")).toString(), "\"in\"",
                ask.value(QLatin1StringView("id")).toString());
            if (!job)
                return job.error();
            settle(tx);
            return protocol::encodeValue(JobAnswer{m_jobs.job(job->id).value_or(*job)});
        });
        table.command(QStringLiteral("cancelJob"), [this, argument](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
            auto job = m_jobs.cancel(tx, argument(args).value(QLatin1StringView("jobId")).toString());
            settle(tx);
            return job ? Result<QByteArray>(protocol::encodeValue(JobAnswer{*job})) : Result<QByteArray>(job.error());
        });
        // Outside of a transaction, as an effect would.
        table.read(QStringLiteral("end"), [this](const Caller &, QByteArrayView) -> Result<QByteArray> {
            m_jobs.ended(m_last, QByteArray("{}"), [this](Transaction &) { m_script->say(QStringLiteral("also")); });
            return QByteArray("null");
        });
        table.read(QStringLiteral("fail"), [this](const Caller &, QByteArrayView) -> Result<QByteArray> {
            m_jobs.ended(m_last, makeError(QLatin1StringView("git"), QLatin1StringView("failed"), QStringLiteral("No.")));
            return QByteArray("null");
        });
    }

private:
    void settle(Transaction &tx)
    {
        m_jobs.advance(tx);
        tx.setAlarm(m_jobs.nextDeadline());
        tx.setNeedsWake(m_jobs.hasWork());
    }
    std::shared_ptr<Script> m_script;
    TaskJobs m_jobs;
    JobStep m_last;
};

} // namespace

class tst_TaskJobs : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        m_script = std::make_shared<Script>();
        start();
    }
    void cleanup() { stop(); }

    void stepByStep();
    void joins();
    void cancels();
    void fails();
    void deadline();
    void resumes();
    void otherVersion();
    void forgetsOldOnes();

private:
    void start()
    {
        RuntimeOptions options;
        options.dataDir = m_dir->path();
        m_runtime = std::make_unique<ActorRuntime>(options,
            QList<ActorFactory>{{QStringLiteral("jobs"), [](const QStringList &) { return true; }, CreatedBy::FirstTouch,
                [script = m_script](ActorContext &context) { return std::make_unique<JobActor>(context, script); }}});
        if (!m_runtime->open(nullptr))
            qFatal("cannot open");
        bool ready = false;
        m_runtime->start([&ready] { ready = true; });
        if (!QTest::qWaitFor([&ready] { return ready; }))
            qFatal("not ready");
    }
    void stop()
    {
        bool done = false;
        m_runtime->stop([&done] { done = true; });
        if (!QTest::qWaitFor([&done] { return done; }))
            qFatal("not stopped");
        m_runtime.reset();
    }
    Result<QByteArray> call(const QString &action, QJsonObject ask = {})
    {
        ask.insert(QStringLiteral("requestId"), makeUuid7());
        const auto ref = m_runtime->getOrCreate({QStringLiteral("jobs"), {QStringLiteral("x")}});
        auto answer = std::make_shared<std::optional<Result<QByteArray>>>();
        auto mutex = std::make_shared<std::mutex>();
        m_runtime->act(ref->id, ActorCall{action, '[' + QJsonDocument(ask).toJson(QJsonDocument::Compact) + ']', {}, {}}, [answer, mutex](Result<QByteArray> result) {
            const std::lock_guard lock(*mutex);
            *answer = std::move(result);
        });
        const bool came = QTest::qWaitFor([&] {
            const std::lock_guard lock(*mutex);
            return answer->has_value();
        });
        if (!came)
            qFatal("no answer");
        return **answer;
    }
    Job tidy(const QString &target = {}, const QString &id = {})
    {
        auto answer = call(QStringLiteral("tidy"), {{QStringLiteral("target"), target}, {QStringLiteral("id"), id}});
        return answer ? protocol::decodeValue<JobAnswer>(*answer)->job : Job{};
    }
    QList<Job> jobs()
    {
        QList<Job> found;
        ChangesSince since;
        since.topic = QStringLiteral("task");
        auto answer = call(QStringLiteral("changesSince"), QJsonDocument::fromJson(protocol::encodeArgs(since)).array().first().toObject());
        auto page = protocol::decodeChangesPage(answer ? *answer : QByteArray());
        if (!page)
            qFatal("%ls", qUtf16Printable(page.error().message));
        for (const Entity &entity : page->upserts) {
            if (const auto *job = std::get_if<Job>(&entity))
                found.append(*job);
        }
        return found;
    }

    std::unique_ptr<QTemporaryDir> m_dir;
    std::shared_ptr<Script> m_script;
    std::unique_ptr<ActorRuntime> m_runtime;
};

void tst_TaskJobs::stepByStep()
{
    const Job job = tidy(QStringLiteral("t"), QStringLiteral("j1"));
    QCOMPARE(job.id, QStringLiteral("j1"));
    QCOMPARE(job.status.text(), QStringLiteral("running"));
    QCOMPARE(job.step, QStringLiteral("one"));
    QCOMPARE(m_script->take(), QStringList{QStringLiteral("begin one \"in\"")});
    QVERIFY(call(QStringLiteral("end")).ok());
    QCOMPARE(m_script->take(), (QStringList{QStringLiteral("also"), QStringLiteral("begin two \"in\"")}));
    QCOMPARE(jobs().constFirst().step, QStringLiteral("two"));
    QVERIFY(call(QStringLiteral("end")).ok());
    QCOMPARE(m_script->take(), (QStringList{QStringLiteral("also"), QStringLiteral("completed")}));
    // Said twice: it does not count any more.
    QVERIFY(call(QStringLiteral("end")).ok());
    QVERIFY(m_script->take().isEmpty());
    const Job over = jobs().constFirst();
    QCOMPARE(over.status.text(), QStringLiteral("completed"));
    QCOMPARE(over.message, QStringLiteral("Tidied"));
    QVERIFY(over.completedAt && over.createdAt && *over.completedAt >= *over.createdAt);
    // The same order again is the job that was.
    QCOMPARE(tidy(QStringLiteral("t"), QStringLiteral("j1")).status.text(), QStringLiteral("completed"));
    QVERIFY(m_script->take().isEmpty());
}

void tst_TaskJobs::joins()
{
    const Job first = tidy(QStringLiteral("t"));
    QCOMPARE(tidy(QStringLiteral("t")).id, first.id);
    const Job other = tidy(QStringLiteral("another"));
    QVERIFY(other.id != first.id);
    QCOMPARE(jobs().size(), 2);
    QCOMPARE(m_script->take().size(), 2); // two have begun, not three
}

void tst_TaskJobs::cancels()
{
    const Job job = tidy();
    m_script->refuseCancel = true;
    const auto refused = call(QStringLiteral("cancelJob"), {{QStringLiteral("jobId"), job.id}});
    QVERIFY(!refused.ok());
    QCOMPARE(refused.error().message, QStringLiteral("Too late."));
    QCOMPARE(jobs().constFirst().status.text(), QStringLiteral("running"));
    m_script->refuseCancel = false;
    m_script->take();
    const auto cancelled = call(QStringLiteral("cancelJob"), {{QStringLiteral("jobId"), job.id}});
    QVERIFY(cancelled.ok());
    QCOMPARE(protocol::decodeValue<JobAnswer>(*cancelled)->job.status.text(), QStringLiteral("cancelled"));
    QCOMPARE(m_script->take(), (QStringList{QStringLiteral("abandon one"), QStringLiteral("cancelled")}));
    QVERIFY(call(QStringLiteral("end")).ok()); // what was under way comes late
    QVERIFY(m_script->take().isEmpty());
    QCOMPARE(call(QStringLiteral("cancelJob"), {{QStringLiteral("jobId"), job.id}}).error().code, QStringLiteral("conflict"));
    QCOMPARE(call(QStringLiteral("cancelJob"), {{QStringLiteral("jobId"), QStringLiteral("none")}}).error().code, QStringLiteral("invalid"));
    QVERIFY(tidy().id != job.id);
}

void tst_TaskJobs::fails()
{
    const Job job = tidy();
    QVERIFY(call(QStringLiteral("fail")).ok());
    QCOMPARE(m_script->take(), (QStringList{QStringLiteral("begin one \"in\""), QStringLiteral("failed failed")}));
    const Job over = jobs().constFirst();
    QCOMPARE(over.status.text(), QStringLiteral("error"));
    QCOMPARE(over.error->message, QStringLiteral("No."));
    QCOMPARE(over.step, QStringLiteral("one")); // where it was
    QVERIFY(tidy().id != job.id);
}

void tst_TaskJobs::deadline()
{
    stop();
    m_script->deadlineMs = 80;
    start();
    tidy();
    QTRY_COMPARE(jobs().constFirst().status.text(), QStringLiteral("error"));
    QCOMPARE(jobs().constFirst().error->code, QStringLiteral("deadline"));
    QCOMPARE(m_script->take(), (QStringList{QStringLiteral("begin one \"in\""), QStringLiteral("abandon one"), QStringLiteral("failed deadline")}));
}

void tst_TaskJobs::resumes()
{
    tidy();
    QVERIFY(call(QStringLiteral("end")).ok());
    m_script->take();
    stop();
    start(); // the wake index opens it
    QCOMPARE(jobs().constFirst().step, QStringLiteral("two"));
    QCOMPARE(m_script->take(), QStringList{QStringLiteral("begin two \"in\" resumed")});
    QVERIFY(call(QStringLiteral("end")).ok());
    QCOMPARE(jobs().constFirst().status.text(), QStringLiteral("completed"));
}

void tst_TaskJobs::otherVersion()
{
    tidy();
    m_script->take();
    stop();
    m_script->version = 2;
    start();
    QTRY_COMPARE(jobs().constFirst().status.text(), QStringLiteral("error"));
    QCOMPARE(jobs().constFirst().error->code, QStringLiteral("recipe_changed"));
    QCOMPARE(m_script->take(), QStringList{QStringLiteral("failed recipe_changed")});
}

void tst_TaskJobs::forgetsOldOnes()
{
    m_script->finishAtOnce = true;
    const QString first = tidy().id;
    QString last;
    for (int i = 0; i < 51; ++i)
        last = tidy().id;
    const QList<Job> left = jobs();
    QCOMPARE(left.size(), 50);
    QVERIFY(std::none_of(left.begin(), left.end(), [&](const Job &job) { return job.id == first; }));
    QVERIFY(std::any_of(left.begin(), left.end(), [&](const Job &job) { return job.id == last; }));
}

QTEST_GUILESS_MAIN(tst_TaskJobs)
#include "tst_taskjobs.moc"
