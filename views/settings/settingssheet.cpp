#include "views/settings/settingssheet.h"

#include <QBoxLayout>
#include <QCheckBox>
#include <QComboBox>
#include <QLocale>

namespace foundry::views {

namespace {

constexpr int settingssheetDefaultMiB = 2048;

} // namespace

SettingsSheet::SettingsSheet(ThemeProvider *theme, const Settings &settings, QWidget *parent)
    : Sheet(theme, tr("Settings"), 480, parent)
    , m_cacheUse(new Label(theme, TextStyle::Small, &Colors::textFaint))
    , m_emptyCache(new Button(theme, tr("Empty it"), ButtonLook::Plain))
{
    auto *appearance = new QComboBox;
    const Colors &c = theme->colors();
    appearance->addItem(theme->icons().icon(Icon::Monitor, c.textMuted), tr("As the desktop"), int(ThemeChoice::System));
    appearance->addItem(theme->icons().icon(Icon::Sun, c.textMuted), tr("Light"), int(ThemeChoice::Light));
    appearance->addItem(theme->icons().icon(Icon::Moon, c.textMuted), tr("Dark"), int(ThemeChoice::Dark));
    appearance->setCurrentIndex(appearance->findData(int(theme->choice())));
    addField(tr("Appearance"), appearance);
    connect(appearance, &QComboBox::activated, this, [this, appearance] {
        Q_EMIT themeChosen(ThemeChoice(appearance->currentData().toInt()));
    });

    auto *stop = new QCheckBox(tr("Stop the host when the window closes and no agent works"));
    stop->setChecked(settings.stopHostWithWindow);
    content()->addWidget(stop);
    connect(stop, &QCheckBox::toggled, this, &SettingsSheet::stopHostChosen);
    auto *about = new Label(theme, TextStyle::Small, &Colors::textFaint,
        tr("Otherwise the host goes on working, and tasks with it. Foundry Workbench %1.")
            .arg(QStringLiteral(FOUNDRY_VERSION)));
    about->setWordWrap(true);
    content()->addWidget(about);

    auto *kept = new QWidget;
    auto *line = new QHBoxLayout(kept);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(Space::s);
    auto *limit = new QComboBox;
    for (const int mebibytes : {256, 512, 1024, settingssheetDefaultMiB, 5120, 10240}) {
        limit->addItem(mebibytes < 1024 ? tr("At most %1 MB").arg(mebibytes) : tr("At most %1 GB").arg(mebibytes / 1024), mebibytes);
    }
    const int chosen = settings.cacheLimitMiB > 0 ? settings.cacheLimitMiB : settingssheetDefaultMiB;
    if (limit->findData(chosen) < 0)
        limit->addItem(tr("At most %1 MB").arg(chosen), chosen);
    limit->setCurrentIndex(limit->findData(chosen));
    line->addWidget(limit, 1);
    line->addWidget(m_emptyCache);
    kept->setFocusProxy(limit);
    limit->setAccessibleName(tr("Kept on this computer to read without a host"));
    addField(tr("Kept on this computer to read without a host"), kept);
    m_cacheUse->setWordWrap(true);
    m_cacheUse->setText(tr("What was used last is kept. Drafts and what waits to be sent are kept apart, and always."));
    content()->addWidget(m_cacheUse);
    connect(limit, &QComboBox::activated, this, [this, limit] { Q_EMIT cacheLimitChosen(limit->currentData().toInt()); });
    m_emptyCache->setToolTip(tr("What is on screen stays; the rest is read from the host again"));
    connect(m_emptyCache, &QPushButton::clicked, this, &SettingsSheet::emptyCacheRequested);

    auto *close = new Button(theme, tr("Close"), ButtonLook::Primary);
    addButton(close);
    connect(close, &QPushButton::clicked, this, &QDialog::accept);
    appearance->setFocus();
}

void SettingsSheet::setCacheBytes(qint64 bytes)
{
    m_cacheUse->setText(tr("%1 in use. What was used last is kept. Drafts and what waits to be sent are kept apart, and always.")
                            .arg(QLocale().formattedDataSize(bytes, 1)));
}

} // namespace foundry::views
