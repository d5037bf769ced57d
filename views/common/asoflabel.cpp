#include "views/common/asoflabel.h"

#include "views/common/controls.h"
#include "views/common/minuteclock.h"

#include <QBoxLayout>
#include <QDateTime>

namespace foundry::views {

namespace {

// A start and a short break of the link are over by then.
constexpr std::chrono::milliseconds asoflabelPatience(600);

} // namespace

AsOfLabel::AsOfLabel(ThemeProvider *theme, QWidget *parent)
    : QWidget(parent)
    , m_words(new Label(theme, TextStyle::Small, &Colors::textFaint, {}, this))
{
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(5);
    row->addWidget(new IconLabel(theme, Icon::History, &Colors::textFaint, 12, this), 0, Qt::AlignVCenter);
    row->addWidget(m_words, 0, Qt::AlignVCenter);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Preferred);
    m_patience.setSingleShot(true);
    m_patience.setInterval(asoflabelPatience);
    connect(&m_patience, &QTimer::timeout, this, &AsOfLabel::say);
    hide();
}

void AsOfLabel::setModels(const QList<ListModelBase *> &models)
{
    for (const QPointer<ListModelBase> &model : std::as_const(m_models)) {
        if (model)
            model->disconnect(this);
    }
    m_models.clear();
    for (ListModelBase *model : models) {
        if (!model)
            continue;
        m_models << model;
        connect(model, &ListModelBase::liveChanged, this, &AsOfLabel::update);
        connect(model, &ListModelBase::asOfChanged, this, &AsOfLabel::update);
        connect(model, &ListModelBase::readyChanged, this, &AsOfLabel::update);
        connect(model, &QObject::destroyed, this, &AsOfLabel::update, Qt::QueuedConnection);
    }
    update();
}

void AsOfLabel::setTime(Millis at)
{
    m_at = at;
    update();
}

Millis AsOfLabel::time() const
{
    Millis oldest = m_at;
    for (const QPointer<ListModelBase> &model : m_models) {
        if (model && model->isReady() && !model->isLive() && model->asOf() > 0)
            oldest = oldest > 0 ? qMin(oldest, model->asOf()) : model->asOf();
    }
    return oldest;
}

void AsOfLabel::update()
{
    if (time() == 0) {
        m_patience.stop();
        hide();
    } else if (!isHidden()) {
        say();
    } else if (!m_patience.isActive()) {
        m_patience.start();
    }
}

void AsOfLabel::say()
{
    const Millis at = time();
    if (at == 0)
        return;
    const QString words = tr("as of %1").arg(clockTime(at, QDateTime::currentMSecsSinceEpoch()));
    m_words->setText(words);
    setAccessibleName(words);
    setToolTip(tr("Kept on this computer; last known to be current at %1").arg(exactTime(at)));
    show();
}

} // namespace foundry::views
