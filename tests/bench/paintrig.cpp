#include "tests/bench/paintrig.h"

#include "models/agentlistmodel.h"
#include "models/repositorylistmodel.h"
#include "models/tasklistmodel.h"
#include "tests/bench/clientrig.h"
#include "views/common/minuteclock.h"
#include "views/common/themeprovider.h"
#include "views/dashboard/dashboard.h"

#include <QEvent>

namespace foundry::bench {

// A window is painted while it handles UpdateRequest; what is queued there runs right after.
class PaintWatch : public QObject {
    Q_OBJECT

public:
    std::function<void()> then;

    bool eventFilter(QObject *watched, QEvent *event) override
    {
        if (event->type() == QEvent::UpdateRequest && then)
            QMetaObject::invokeMethod(this, [this] { then(); }, Qt::QueuedConnection);
        return QObject::eventFilter(watched, event);
    }
};

struct PaintRig::Parts {
    views::ThemeProvider theme;
    views::MinuteClock clock;
    TaskListModel tasks;
    RepositoryListModel repositories;
    AgentListModel agents;
    std::unique_ptr<views::Dashboard> dashboard;
    PaintWatch watch;
};

PaintRig::PaintRig(int tasks)
    : m_parts(std::make_unique<Parts>())
{
    QList<Entity> all;
    Repository repository;
    repository.state = RepositoryState::Ready;
    for (int n = 0; n < 7; ++n) {
        repository.id = RepoId(QStringLiteral("repo-%1").arg(n));
        repository.name = QStringLiteral("repository %1").arg(n);
        all.append(repository);
    }
    for (int n = 0; n < tasks; ++n)
        all.append(sampleTask(n));
    for (TopicSink *sink : {static_cast<TopicSink *>(&m_parts->tasks), static_cast<TopicSink *>(&m_parts->repositories),
             static_cast<TopicSink *>(&m_parts->agents)})
        sink->replace(QStringLiteral("organization"), all);
    for (ListModelBase *model : {static_cast<ListModelBase *>(&m_parts->tasks), static_cast<ListModelBase *>(&m_parts->repositories),
             static_cast<ListModelBase *>(&m_parts->agents)})
        model->setReady(true);
    m_parts->dashboard = std::make_unique<views::Dashboard>(&m_parts->theme, &m_parts->clock, &m_parts->tasks, &m_parts->repositories, &m_parts->agents);
    m_parts->dashboard->resize(1600, 1000);
    m_parts->dashboard->show();
    m_parts->dashboard->installEventFilter(&m_parts->watch);
    bool painted = false;
    m_parts->watch.then = [&painted] { painted = true; };
    m_parts->dashboard->update();
    pump([&painted] { return painted; }, 3000);
    m_parts->watch.then = nullptr;
}

PaintRig::~PaintRig() = default;

void PaintRig::apply(const TopicEvent &event)
{
    m_parts->tasks.apply(event);
}

void PaintRig::whenPainted(std::function<void()> then)
{
    m_parts->watch.then = std::move(then);
}

} // namespace foundry::bench

#include "paintrig.moc"
