// The small list models: their order, their roles, and that every one keeps to the rules of item models.
#include "models/agentlistmodel.h"
#include "models/changesmodel.h"
#include "models/queuedpromptmodel.h"
#include "models/repositorylistmodel.h"
#include "models/sessionlistmodel.h"
#include "models/stagelistmodel.h"
#include "tests/models/modelmirror.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

namespace foundry {

class TestListModels : public QObject {
    Q_OBJECT

    static QString s(const char *text) { return QString::fromLatin1(text); }
    static QString rows(const QAbstractItemModel &model, int role = Qt::DisplayRole)
    {
        QStringList list;
        for (int row = 0; row < model.rowCount(); ++row)
            list.append(model.index(row, 0).data(role).toString());
        return list.join(QLatin1Char(' '));
    }
    static TopicEvent upsert(QList<Entity> entities)
    {
        TopicEvent event;
        event.upserts = std::move(entities);
        return event;
    }
    template <class Model>
    static void rolesAreNamed()
    {
        const Model model;
        QVERIFY(model.roleNames().contains(ListModelBase::ValueRole));
        QVERIFY(!model.isReady());
    }

private Q_SLOTS:
    void repositories()
    {
        rolesAreNamed<RepositoryListModel>();
        RepositoryListModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        Repository a{{}, RepoId(s("1")), s("beta"), s("/b")};
        Repository b{{}, RepoId(s("2")), s("Alpha"), s("/a")};
        model.replace(s("organization"), {a, b});
        model.replace(s("overlay"), {}); // not its topic
        QCOMPARE(rows(model), s("Alpha beta"));
        test::ModelMirror mirror(&model, Qt::DisplayRole);
        a.state = RepositoryState::Cloning;
        a.progress = 0.5;
        model.apply(upsert({a}));
        QCOMPARE(mirror.changes, 1);
        QVERIFY(mirror.lastRoles.contains(int(RepositoryListModel::ProgressRole)));
        QCOMPARE(model.index(1, 0).data(RepositoryListModel::ProgressRole).toDouble(), 0.5);
        TopicEvent gone;
        gone.removals = {{s("Repository"), s("1")}, {s("TaskSummary"), s("2")}};
        model.apply(gone);
        QCOMPARE(rows(model), s("Alpha"));
    }

    void agents()
    {
        rolesAreNamed<AgentListModel>();
        AgentListModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        const auto agent = [](const char *name, AgentState state, AgentSource source = AgentSource::Path) {
            return Agent{{}, AgentId(s(name)), s(name), source, state};
        };
        model.apply(upsert({agent("runner", AgentState::Ready, AgentSource::Builtin), agent("qwen", AgentState::NotInstalled),
            agent("codex", AgentState::Unconfirmed), agent("claude", AgentState::Ready), agent("gemini", AgentState::NeedsLogin)}));
        QCOMPARE(rows(model), s("claude runner codex gemini qwen"));
        model.apply(upsert({agent("codex", AgentState::Ready)}));
        QCOMPARE(rows(model), s("claude codex runner gemini qwen"));
    }

    void sessionsInTheOrderOfOpening()
    {
        rolesAreNamed<SessionListModel>();
        SessionListModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        Session first{{}, SessionId(s("01")), s("one"), AgentId(s("x"))};
        Session second{{}, SessionId(s("02")), s("two"), AgentId(s("x"))};
        model.apply(upsert({second, first}));
        QCOMPARE(rows(model), s("one two"));
        test::ModelMirror mirror(&model, Qt::DisplayRole);
        first.status = SessionStatus::Running;
        model.apply(upsert({first, second}));
        QCOMPARE(mirror.changes, 1);
        QVERIFY(mirror.lastRoles.contains(int(SessionListModel::StatusRole)));
    }

    void stagesInTheirOrder()
    {
        rolesAreNamed<StageListModel>();
        StageListModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        Stage allocate{{}, s("sandbox/sandbox_allocated")};
        allocate.order = 2;
        Stage attach{{}, s("sandbox/branch_attach")};
        attach.order = 1;
        model.apply(upsert({allocate, attach}));
        QCOMPARE(rows(model), s("branch_attach sandbox_allocated"));
        allocate.state = StageState::Failed;
        allocate.error = Error{s("git"), s("failed"), s("no")};
        model.apply(upsert({allocate}));
        QCOMPARE(model.index(1, 0).data(StageListModel::StateRole).toInt(), int(StageState::Failed));
        QVERIFY(model.index(1, 0).data(StageListModel::ErrorRole).isValid());
        QVERIFY(!model.index(0, 0).data(StageListModel::ErrorRole).isValid());
    }

    void queueByOrder()
    {
        rolesAreNamed<QueuedPromptModel>();
        QueuedPromptModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        const auto prompt = [](const char *id, const char *text, double order) {
            return QueuedPrompt{{}, QueueId(s(id)), SessionId(s("s")), {s(text)}, {}, order, 0, {}};
        };
        model.apply(upsert({prompt("1", "b", 2), prompt("2", "a", 1), prompt("3", "c", 3)}));
        QCOMPARE(rows(model), s("a b c"));
        model.apply(upsert({prompt("3", "c", 0.5)}));
        QCOMPARE(rows(model), s("c a b"));
    }

    void changesWithHeader()
    {
        rolesAreNamed<ChangesModel>();
        ChangesModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        QSignalSpy header(&model, &ChangesModel::headerChanged);
        const auto change = [](const char *path, ChangeScope scope, qint64 added, qint64 removed) {
            FileChange value;
            value.path = s(path);
            value.scope = scope;
            value.id = value.scope.text() + QLatin1Char(':') + value.path;
            value.added = added;
            value.removed = removed;
            return value;
        };
        ChangesHeader head;
        head.ahead = 2;
        model.replace(s("changes"), {head, change("b", ChangeScope::Unstaged, 1, 2), change("a", ChangeScope::Untracked, 5, 0),
            change("b", ChangeScope::Committed, 3, 0)});
        QCOMPARE(rows(model), s("a b b"));
        QCOMPARE(model.at(1).scope.valueOr(ChangeScope::Staged), ChangeScope::Committed);
        QCOMPARE(header.size(), 1);
        model.apply(upsert({head}));
        QCOMPARE(header.size(), 1);
        QCOMPARE(model.total(), (DiffStat{2, 9, 2}));
    }

    void readyAndAsOfAreAnnouncedOnce()
    {
        ChangesModel model;
        QSignalSpy ready(&model, &ListModelBase::readyChanged);
        QSignalSpy asOf(&model, &ListModelBase::asOfChanged);
        model.setReady(true);
        model.setReady(true);
        model.setAsOf(5);
        model.setAsOf(5);
        QCOMPARE(ready.size(), 1);
        QCOMPARE(asOf.size(), 1);
    }
};

} // namespace foundry

QTEST_GUILESS_MAIN(foundry::TestListModels)
#include "tst_listmodels.moc"
