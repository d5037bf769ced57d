#include "app/tour/tour.h"

#include "app/application.h"
#include "app/tour/touruser.h"
#include "views/common/promptbox.h"
#include "views/task/newtasksheet.h"
#include "views/task/taskpage.h"
#include "views/transcript/transcriptview.h"

#include <QDir>
#include <QFile>
#include <QLineEdit>
#include <QStandardPaths>
#include <QTextStream>

namespace foundry::app {

using views::TranscriptView;

namespace {

Error tourMissing(const QString &what)
{
    return makeError(QLatin1StringView("client"), QLatin1StringView("tour_widget"), Tour::tr("There is no %1 on screen.").arg(what));
}

QString tourScratch(const Config &config)
{
    return QStandardPaths::writableLocation(QStandardPaths::TempLocation)
        + QStringLiteral("/foundry-tour-%1-%2").arg(QCoreApplication::applicationPid()).arg(qHash(config.tourDir), 8, 16, QLatin1Char('0'));
}

} // namespace

QString Tour::hostDataDir(const Config &config)
{
    return tourScratch(config) + QStringLiteral("/host");
}

Tour::Tour(Application &application, const Config &config, QObject *parent)
    : QObject(parent)
    , m_application(application)
    , m_config(config)
    , m_repository(config.tourRepository.isEmpty() ? tourScratch(config) + QStringLiteral("/harbour") : config.tourRepository)
{
}

void Tour::start()
{
    if (!QDir().mkpath(m_config.tourDir)) {
        finish(makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), tr("%1 cannot be made.").arg(m_config.tourDir)));
        return;
    }
    m_runner = std::make_unique<TourRunner>(m_application.window(), m_config.tourDir, m_application.watchdog());
    connect(m_runner.get(), &TourRunner::finished, this, &Tour::finish);
    // The wiring has handled the request when this is called, in the same turn.
    connect(&m_application.window(), &views::MainWindow::newTaskRequested, this, [this] {
        m_sameFrame = page() && page()->isVisible() && !m_application.window().currentTask().isEmpty()
            && page()->taskId() == m_application.window().currentTask();
    });
    m_application.theme().setChoice(ThemeChoice::Dark);
    addFirstTask();
    addReview();
    if (!m_config.tourShort) {
        addSecondSession();
        addSecondTask();
    }
    addThemes();
    m_runner->start();
}

void Tour::add(const QString &name, std::function<Result<>()> begin, std::function<bool()> reached, bool picture,
    std::chrono::milliseconds deadline, std::chrono::milliseconds settle)
{
    if (m_config.tourStepSeconds > 0)
        deadline = std::chrono::seconds(m_config.tourStepSeconds);
    m_runner->add({name, std::move(begin), std::move(reached), picture, deadline, settle});
}

views::TaskPage *Tour::page() const
{
    return m_application.window().findChild<views::TaskPage *>();
}

TranscriptView *Tour::transcript() const
{
    return touruser::find<TranscriptView>(&m_application.window());
}

const Session *Tour::session() const
{
    const views::TaskPage *shown = page();
    OpenTask *task = shown ? m_application.openTask(shown->taskId()) : nullptr;
    return task ? task->sessions().find(shown->activeSession()) : nullptr;
}

bool Tour::asks() const
{
    const TranscriptView *view = transcript();
    const TranscriptModel *model = view ? view->transcript() : nullptr;
    for (int row = model ? model->count() - 1 : -1; row >= 0; --row) {
        const TranscriptEntry &entry = model->at(row);
        if (entry.permission && !entry.permission->answer)
            return true;
    }
    return false;
}

bool Tour::wasAnswered(const QString &permissionRequestId) const
{
    const TranscriptView *view = transcript();
    const TranscriptModel *model = view ? view->transcript() : nullptr;
    for (int row = model ? model->count() - 1 : -1; row >= 0; --row) {
        const auto &permission = model->at(row).permission;
        if (permission && permission->requestId == permissionRequestId)
            return permission->answer.has_value();
    }
    return false;
}

bool Tour::turnEnded(const QString &stopReason) const
{
    const TranscriptView *view = transcript();
    const TranscriptModel *model = view ? view->transcript() : nullptr;
    if (!model || model->count() == 0)
        return false;
    const TranscriptEntry &last = model->at(model->count() - 1);
    const Session *shown = session();
    return last.turnEnd && (stopReason.isEmpty() || last.turnEnd->stopReason == stopReason) && shown
        && shown->status == SessionStatus::Idle;
}

// Clicks the button of the permission that is asked for.
Result<> Tour::answer(bool allow)
{
    TranscriptView *view = transcript();
    if (!view || !view->transcript())
        return tourMissing(tr("transcript"));
    const QString kind = allow ? QStringLiteral("allow_once") : QStringLiteral("reject_once");
    for (int row = view->transcript()->count() - 1; row >= 0; --row) {
        const TranscriptEntry &entry = view->transcript()->at(row);
        if (!entry.permission || entry.permission->answer)
            continue;
        QString option;
        for (const PermissionOption &one : entry.permission->options) {
            if (one.kind == kind)
                option = one.id;
        }
        view->revealEntry(entry.index);
        view->flush();
        for (const TranscriptView::Visible &visible : view->visibleEntries()) {
            if (visible.row != row)
                continue;
            for (int hot = 0; const views::HotArea *area = view->hotArea({entry.index, hot}); ++hot) {
                if (area->kind != views::HotKind::Answer || area->value != option)
                    continue;
                m_answered = entry.permission->requestId;
                const QPoint inEntry = area->rect.center().toPoint();
                touruser::click(view->viewport(), view->entryRect(row).topLeft() + inEntry);
                return Unit{};
            }
        }
    }
    return tourMissing(tr("permission to answer"));
}

Result<> Tour::writeTask(const QString &prompt)
{
    auto *sheet = touruser::find<views::NewTaskSheet>(&m_application.window());
    auto *box = sheet ? sheet->findChild<views::PromptBox *>() : nullptr;
    if (!box)
        return tourMissing(tr("field for a prompt"));
    m_promptSize = prompt.size();
    touruser::type(box, prompt);
    return Unit{};
}

void Tour::finish(const std::optional<Error> &error)
{
    if (error)
        QTextStream(stderr) << error->message << '\n';
    const int code = error ? 1 : 0;
    m_application.window().hide();
    m_application.link().endHost(this, [this, code] {
        QDir(tourScratch(m_config)).removeRecursively();
        QCoreApplication::exit(code);
    });
}

} // namespace foundry::app
