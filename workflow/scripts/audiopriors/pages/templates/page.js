"use strict";

// Only one sound plays at a time.
document.addEventListener("play", (event) => {
  for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
}, true);

// What is folded away is printed, too.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});

for (const place of document.querySelectorAll("[data-forming]")) {
  const levels = JSON.parse(place.querySelector("script").textContent);
  const slider = place.querySelector("input");
  const clips = [...place.querySelectorAll(".clip")];
  place.querySelector(".control").hidden = false;
  slider.addEventListener("input", () => {
    const level = levels[slider.valueAsNumber];
    slider.setAttribute("aria-valuetext", level.sigma);
    place.querySelector("output").textContent = level.sigma;
    clips.forEach((clip, number) => {
      const { outline, picture, sound } = level.clips[number];
      clip.querySelector(".front").setAttribute("d", outline);
      clip.querySelector(".spectrogram").src = picture;
      const audio = clip.querySelector("audio");
      const plays = !audio.paused;
      audio.src = sound;
      if (plays) audio.play();
    });
  });
  slider.value = levels.length - 1; // a browser may keep what it was before the page was loaded anew
}
